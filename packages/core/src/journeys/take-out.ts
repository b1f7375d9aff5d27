import type { Tx } from '../db/database.ts'
import { insertRows } from '../db/insert-rows.ts'
import { idRows } from '../db/rows.ts'
import { insertEvents } from '../events/append.ts'
import type { NewEvent } from '../events/normalize.ts'
import type { HumanTasks } from './human-steps.ts'
import { nameOf, readPeople } from './people.ts'
import { addStats } from './stats.ts'

/** Name under which journeys stand in the log of events. */
export const JOURNEY_SOURCE = 'huitou:journeys'

/** Why somebody left whom nothing but a person took out: alone, or everybody at once. */
export type TakenOut = 'by_hand' | typeof STOPPED
export const STOPPED = 'stopped'

interface Leaving {
  reason: TakenOut
  now: number
  tasks: HumanTasks | undefined
}

/**
 * Takes those of these enrolments out that are still under way: their tasks are cancelled, and their timelines say so.
 * Returns how many that were.
 */
export async function takeOut(tx: Tx, ids: readonly number[], leaving: Leaving): Promise<number> {
  if (ids.length === 0) return 0
  const { reason, now, tasks } = leaving
  const left = await tx
    .updateTable('enrolments')
    .set({
      state: 'exited',
      ended_at: now,
      ended_reason: reason,
      due_at: null,
      held_due_at: null,
      waiting_for: null,
    })
    .where('id', 'in', (where) => where.selectFrom(idRows(tx, ids)).select('r.id'))
    .where('ended_at', 'is', null)
    .returning(['id', 'journey_id', 'version', 'customer_id'])
    .execute()
  await tasks?.leave(
    tx,
    left.map(({ id }) => id),
    now,
  )
  await addStats(
    tx,
    left.map(({ journey_id, version }) => ({ journey_id, version, node: '$exit', outcome: reason })),
  )
  await tellTakenOut(
    tx,
    left.filter(({ version }) => version > 0),
    leaving,
  )
  return left.length
}

async function tellTakenOut(
  tx: Tx,
  left: readonly { id: number; journey_id: string; customer_id: number }[],
  { reason, now }: Leaving,
): Promise<void> {
  const people = await readPeople(
    tx,
    left.map(({ customer_id }) => customer_id),
  )
  const names = await journeyNames(
    tx,
    left.map(({ journey_id }) => journey_id),
  )
  const events = left.flatMap(({ id, journey_id, customer_id }): NewEvent[] => {
    const person = people.get(customer_id)
    if (!person) return []
    return [
      {
        message_id: `taken-out:${id}`,
        source: JOURNEY_SOURCE,
        type: 'track',
        name: 'journey.taken_out',
        ts: now,
        version: now,
        body: JSON.stringify({
          ...nameOf(person),
          properties: { journey_id, journey: names.get(journey_id), reason },
        }),
      },
    ]
  })
  if (events.length > 0) await insertEvents(tx, events, now)
}

/** Names as they are now: a timeline shall say what it was, also when the journey is called something else later. */
export async function journeyNames(tx: Tx, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map()
  const rows = await tx
    .selectFrom('journeys')
    .select(['id', 'name'])
    .where('id', 'in', [...new Set(ids)])
    .execute()
  return new Map(rows.map(({ id, name }) => [id, name]))
}

/** Takes back what is still planned of these deliveries. Returns how many that were. */
export async function cancelPlanned(
  tx: Tx,
  ids: readonly number[],
  { reason, now }: { reason: string; now: number },
): Promise<number> {
  if (ids.length === 0) return 0
  const rows = await tx
    .updateTable('deliveries')
    .set({ state: 'cancelled', reason, details: null, updated_at: now })
    .where('id', 'in', (where) => where.selectFrom(idRows(tx, ids)).select('r.id'))
    .where('state', '=', 'planned')
    .returning('id')
    .execute()
  await insertRows(tx, 'delivery_events', {
    rows: rows.map(({ id }) => ({ delivery_id: id, at: now, kind: 'cancelled', reason, details: null })),
    columns: { delivery_id: 'integer', at: 'integer', kind: 'text', reason: 'text', details: 'text' },
  })
  return rows.length
}
