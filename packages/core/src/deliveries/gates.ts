import { type Gate, type GateDelivery, type GateVerdict, toTextVector, valueAt } from '@huitou/plugin-api'
import { refusedColumn } from '../points/grants.ts'
import type { Points } from '../points/points.ts'
import { type ProfileColumn, readColumns } from '../profiles/columns.ts'
import { hideKeys } from '../profiles/visible-key.ts'
import type { Verdict } from './guards.ts'
import type { StoredDelivery } from './next-messages.ts'
import { type Person, readPeople } from '../journeys/people.ts'
import type { DeliveryContext } from './worker-context.ts'

type GateEntry = ReturnType<Points['gates']['list']>[number]

/** What all gates together say of each delivery, by its id. */
export type GateAnswers = Map<number, 'allowed' | Exclude<Verdict, { allow: true }>>

const GATE_MS = 5_000
/** However far away a gate wants to be asked again, it is asked after this. */
const LONGEST_WAIT_MS = 7 * 86_400_000
const LONGEST_REASON = 200
/** A gate that does not answer keeps messages back this long, rather than letting them through. */
const TRY_AGAIN_MS = 60_000

/** Gates that messages on a channel have to pass. */
export function gatesOf(points: Pick<Points, 'gates'>, channel: string): GateEntry[] {
  return points.gates.list().filter(({ value }) => value.channels?.includes(channel) ?? true)
}

type Answer = Exclude<Verdict, { allow: true }>

/**
 * Asks every gate about every message, until one says no. No transaction is open meanwhile. A gate that fails, takes too
 * long, answers nonsense, or may not read what it asks for keeps its messages back until they expire: none goes out
 * unasked.
 */
export async function askGates(
  { database, clock, log }: DeliveryContext,
  gates: readonly GateEntry[],
  rows: readonly StoredDelivery[],
): Promise<GateAnswers> {
  const people = await readPeople(
    database.db,
    rows.map(({ customer_id }) => customer_id),
  )
  const columns = new Map((await readColumns(database.db)).map((column) => [column.name, column]))
  const now = clock.now()
  const refused = new Map(gates.map((gate) => [gate.id, lackOf(gate, columns)]))
  const answers: GateAnswers = new Map()
  await Promise.all(
    rows.map(async (row) => {
      const person = people.get(row.customer_id)
      // Nobody is asked about a test: it reaches nobody.
      if (person && row.purpose !== 'test')
        for (const gate of gates) {
          const lack = refused.get(gate.id)
          const answer = lack
            ? later(now + TRY_AGAIN_MS, gate, lack)
            : await askGate(gate, { row, person, now }).catch((error: unknown) => {
                log.warn({ gate: gate.id, error: String(error) }, 'A gate failed; its messages wait')
                return later(now + TRY_AGAIN_MS, gate, 'no answer')
              })
          if (answer) return void answers.set(row.id, answer)
        }
      answers.set(row.id, 'allowed')
    }),
  )
  return answers
}

/** What the gate's plugin may not read although the gate needs it. */
function lackOf(
  { owner, value }: GateEntry,
  columns: ReadonlyMap<string, ProfileColumn>,
): string | undefined {
  if (!owner.permissions) return undefined
  const reader = { id: owner.plugin, columnPrefix: owner.prefix, permissions: owner.permissions() }
  for (const name of value.inputs ?? []) {
    const column = columns.get(name)
    const need = column && refusedColumn(reader, column)
    if (need) return `${need.permission} ${need.name} is not granted`
  }
  return undefined
}

async function askGate(
  gate: GateEntry,
  { row, person, now }: { row: StoredDelivery; person: Person; now: number },
): Promise<Answer | undefined> {
  const { value } = gate
  const asked = {
    key: row.key,
    customerId: person.id,
    channel: row.channel,
    ...(row.journey_id === null ? {} : { journeyId: row.journey_id }),
    columns: Object.fromEntries((value.inputs ?? []).map((name) => [name, valueFor(gate, person, name)])),
  }
  const verdict = (await inTime(value.run, asked, now)) as Partial<
    Exclude<GateVerdict, { allow: true }>
  > | null
  const allow: unknown = verdict?.allow
  if (allow === true) return undefined
  if (allow !== false) throw new TypeError('A gate answers allow: true or allow: false')
  const reason = typeof verdict?.reason === 'string' ? verdict.reason.slice(0, LONGEST_REASON) : ''
  const retryAt = verdict?.retryAt
  if (retryAt === undefined || retryAt === null)
    return { allow: false, reason: 'gate', details: { gate: gate.id, reason } }
  if (!Number.isFinite(retryAt)) throw new TypeError('A gate names the moment to ask again in milliseconds')
  return later(Math.min(Math.max(Math.round(retryAt), now + 1_000), now + LONGEST_WAIT_MS), gate, reason)
}

/** A customer's outside id may be a phone number: whoever may not see those gets another name. */
function valueFor({ owner }: GateEntry, { id, profile }: Person, name: string): string | number | null {
  const value = profile?.[name] ?? null
  if (name !== 'key' || !owner.permissions) return value
  const reader = { id: owner.plugin, columnPrefix: owner.prefix, permissions: owner.permissions() }
  const shown = hideKeys(reader, toTextVector([value === null ? null : String(value)]), Float64Array.of(id))
  return valueAt(shown, 0) ?? null
}

/** Whoever does not look at the signal does not keep the others waiting either. */
async function inTime(run: Gate['allow'], asked: GateDelivery, now: number): Promise<unknown> {
  const signal = AbortSignal.timeout(GATE_MS)
  const { promise: late, reject } = Promise.withResolvers<never>()
  const stop = () => reject(new Error(`no answer within ${GATE_MS} ms`))
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([run(asked, { now, signal }), late])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function later(at: number, gate: GateEntry, reason: string): Answer {
  return { later: at, reason: 'gate', details: { gate: gate.id, reason } }
}
