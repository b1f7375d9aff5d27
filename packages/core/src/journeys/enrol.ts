import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { Tx } from '../db/database.ts'
import { insertRows } from '../db/insert-rows.ts'
import { rowsOf } from '../db/rows.ts'
import { readOptedOut } from '../people/opted-out.ts'
import type { Rule } from '../segments/rule.ts'
import type { JourneyDefinition } from './definition.ts'
import { isMarketing, tellKeptOut } from './kept-out.ts'
import type { Moment } from './known.ts'
import { oftenEnough } from './nth-event.ts'
import { whoFits } from './rules.ts'
import { addStats, type StatStep } from './stats.ts'

/** Somebody whom a trigger names. */
export interface Entry {
  customerId: number
  entryKey: string
  /** What it begins with; `event` holds the properties of the event. */
  data: Record<string, unknown>
  /** When the journey begins for this customer: waits count from here. */
  at: number
  /** Ended by something that came right behind, in the same batch. */
  ended?: { reason: string; at: number }
  goalAt?: number
}

/** Between 0 and 1, the same at every asking. */
export function shareOf(...parts: (string | number)[]): number {
  return createHash('sha256').update(parts.join(' ')).digest().readUIntBE(0, 6) / 2 ** 48
}

export function armOf(journeyId: string, customerId: number, percent: number): 'treated' | 'holdout' {
  return shareOf(journeyId, customerId) * 100 < percent ? 'holdout' : 'treated'
}

/**
 * Lets customers into a journey: those whom its filter lets through, who are not under way in it for the same key, and
 * whom its rule of re-entry admits. Returns how many went in.
 */
export async function enrol(
  tx: Tx,
  journey: { id: string; version: number; definition: JourneyDefinition },
  entries: readonly Entry[],
  moment: Moment,
): Promise<number> {
  const { definition } = journey
  let admitted = await oftenEnough(tx, definition, entries)
  if (definition.filter && admitted.length > 0) {
    const customers = admitted.map(({ customerId }) => customerId)
    const [fitting] = await whoFits(tx, [definition.filter as Rule], {
      customers,
      scope: await moment.scope(),
    })
    admitted = admitted.filter(({ customerId }) => fitting?.has(customerId))
  }
  let fresh = await withoutKnown(tx, journey, { entries: admitted, now: moment.now })
  if (isMarketing(definition)) {
    const refusing = await readOptedOut(
      tx,
      fresh.map(({ customerId }) => customerId),
    )
    if (refusing.size > 0) {
      await tellKeptOut(tx, journey, { customers: refusing, now: moment.now })
      fresh = fresh.filter(({ customerId }) => !refusing.has(customerId))
    }
  }
  if (fresh.length === 0) return 0
  const steps: StatStep[] = []
  const rows = fresh.map(({ customerId, entryKey, data, at, ended, goalAt }) => {
    const arm = armOf(journey.id, customerId, definition.holdout.percent)
    steps.push({ journey_id: journey.id, version: journey.version, node: '$entry', outcome: arm })
    if (goalAt !== undefined)
      steps.push({ journey_id: journey.id, version: journey.version, node: '$goal', outcome: arm })
    const end = arm === 'holdout' ? { reason: 'holdout', at } : ended
    return {
      journey_id: journey.id,
      version: journey.version,
      customer_id: customerId,
      entry_key: entryKey,
      node: definition.start,
      visit: 0,
      state: end ? (arm === 'holdout' ? 'done' : 'exited') : 'active',
      due_at: end ? null : at,
      arm,
      data: JSON.stringify(data),
      entered_at: at,
      ended_at: end?.at ?? null,
      ended_reason: end?.reason ?? null,
      goal_at: goalAt ?? null,
    }
  })
  await insertRows(tx, 'enrolments', {
    rows,
    columns: {
      journey_id: 'text',
      version: 'integer',
      customer_id: 'integer',
      entry_key: 'text',
      node: 'text',
      visit: 'integer',
      state: 'text',
      due_at: 'integer',
      arm: 'text',
      data: 'json',
      entered_at: 'integer',
      ended_at: 'integer',
      ended_reason: 'text',
      goal_at: 'integer',
    },
  })
  await addStats(tx, steps)
  return rows.length
}

async function withoutKnown(
  tx: Tx,
  { id, definition: { trigger, reentry } }: { id: string; definition: JourneyDefinition },
  { entries, now }: { entries: readonly Entry[]; now: number },
): Promise<Entry[]> {
  if (entries.length === 0) return []
  const known = await tx
    .selectFrom(
      rowsOf(
        tx,
        [...new Set(entries.map(({ customerId }) => customerId))].map((customer) => ({ customer })),
        { customer: 'integer' },
      ),
    )
    // SQLite keeps the order of cross joins: the customers are few, and both tables are found by them.
    .crossJoin('identifiers')
    .crossJoin('enrolments')
    .whereRef('identifiers.customer_id', '=', 'r.customer')
    .whereRef('enrolments.customer_id', '=', 'identifiers.id')
    .where('enrolments.journey_id', '=', id)
    // A trial keeps nobody out.
    .where('enrolments.version', '>', 0)
    .select(['r.customer', 'enrolments.entry_key'])
    .select(sql<number>`max(case when enrolments.ended_at is null then 1 else 0 end)`.as('open'))
    .select(sql<number>`max(coalesce(enrolments.ended_at, enrolments.entered_at))`.as('last'))
    .groupBy(['r.customer', 'enrolments.entry_key'])
    .execute()
  // Every run has a key of its own; a pause between two of them is one between any of a customer's.
  const isRun = trigger.type === 'date' || trigger.type === 'schedule'
  const acrossRuns = isRun && reentry !== 'once' && reentry.afterDays > 0
  const keyOf = (customer: number, key: string) => (acrossRuns ? `${customer}` : `${customer} ${key}`)
  const before = new Map<string, { open: number; last: number }>()
  for (const { customer, entry_key, open, last } of known) {
    const key = keyOf(customer, entry_key)
    const other = before.get(key)
    before.set(key, { open: Math.max(open, other?.open ?? 0), last: Math.max(last, other?.last ?? 0) })
  }
  const taken = new Set<string>()
  return entries.filter(({ customerId, entryKey }) => {
    const key = keyOf(customerId, entryKey)
    if (taken.has(key)) return false
    const last = before.get(key)
    const admits =
      !last || (last.open === 0 && reentry !== 'once' && now - last.last >= reentry.afterDays * 86_400_000)
    if (admits) taken.add(key)
    return admits
  })
}
