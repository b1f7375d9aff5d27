import type { GateContribution } from '@huitou/plugin-api'
import type { Db } from '../db/database.ts'
import type { Contribution, Points } from '../points/points.ts'
import type { Verdict } from './guards.ts'
import type { StoredDelivery } from './prepare.ts'
import { readPeople } from '../journeys/people.ts'
import type { DeliveryContext } from './worker-context.ts'

type GateEntry = ReturnType<Points['gates']['list']>[number]

/** What all gates together say of each delivery, by its id. */
export type GateAnswers = Map<number, 'allowed' | Extract<Verdict, { later: number } | { allow: false }>>

const GATE_MS = 5_000
/** A gate that does not answer keeps messages back this long, rather than letting them through. */
const TRY_AGAIN_MS = 60_000

/** Due messages, to ask about before anything is leased. */
export async function findCandidates(
  db: Db,
  { channel, account, now, limit }: { channel: string; account: string; now: number; limit: number },
): Promise<StoredDelivery[]> {
  return await db
    .selectFrom('deliveries')
    .selectAll()
    .where('state', '=', 'planned')
    .where('kind', '=', 'message')
    .where('channel', '=', channel)
    .where('account', '=', account)
    .where('due_at', '<=', now)
    .orderBy('due_at')
    .limit(limit)
    .execute()
}

/** Asks every gate about every message, until one says no. No transaction is open meanwhile. */
export async function askGates(
  { database, clock, log }: DeliveryContext,
  gates: readonly GateEntry[],
  rows: readonly StoredDelivery[],
): Promise<GateAnswers> {
  const people = await readPeople(
    database.db,
    rows.map(({ customer_id }) => customer_id),
  )
  const now = clock.now()
  const answers: GateAnswers = new Map()
  await Promise.all(
    rows.map(async (row) => {
      const person = people.get(row.customer_id)
      if (!person) return void answers.set(row.id, 'allowed')
      for (const gate of gates) {
        const answer = await ask(gate)
        if (answer) return void answers.set(row.id, answer)
      }
      answers.set(row.id, 'allowed')

      async function ask({ id, value }: Contribution<GateContribution> & GateEntry) {
        const columns = Object.fromEntries(
          (value.inputs ?? []).map((name) => [name, person?.profile?.[name] ?? null]),
        )
        const asked = {
          key: row.key,
          customerId: person?.id ?? row.customer_id,
          channel: row.channel,
          ...(row.journey_id === null ? {} : { journeyId: row.journey_id }),
          columns,
        }
        try {
          const verdict = await value.run(asked, { now, signal: AbortSignal.timeout(GATE_MS) })
          if (verdict.allow) return undefined
          if (verdict.retryAt !== undefined)
            return { later: Math.max(verdict.retryAt, now + 1), reason: 'gate' as const }
          return {
            allow: false as const,
            reason: 'gate' as const,
            details: { gate: id, reason: verdict.reason },
          }
        } catch (error) {
          log.warn({ gate: id, error: String(error) }, 'A gate failed; its messages wait')
          return { later: now + TRY_AGAIN_MS, reason: 'gate' as const }
        }
      }
    }),
  )
  return answers
}
