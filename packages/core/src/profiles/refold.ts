import type { Tx } from '../db/database.ts'
import { rowsOf } from '../db/rows.ts'
import { STORED_EVENT_COLUMNS, toStoredEvent } from '../events/read.ts'
import type { Projection } from './project.ts'
import { emptyState, foldEvent, type ProfileState } from './state.ts'
import { type Draft, removeProfiles, saveDrafts } from './store.ts'
import { toTimelineRow } from './timeline.ts'

/** Events read at a time: a customer may have a hundred thousand. */
const PAGE = 5_000

/**
 * Works customers' profiles out again from all their current events. For what cannot be added to what is
 * known: a version of a fact that takes another's place, a merge undone, changed definitions.
 */
export async function refold(tx: Tx, customers: readonly number[], projection: Projection): Promise<void> {
  if (customers.length === 0) return
  const states = new Map<number, ProfileState>()
  const ids = customers.map((id) => ({ id }))
  for (let after = 0; ; ) {
    const rows = await tx
      .selectFrom(rowsOf(tx, ids, { id: 'integer' }))
      .innerJoin('timeline', 'timeline.customer_id', 'r.id')
      .innerJoin('events', 'events.seq', 'timeline.seq')
      .where('timeline.current', '=', 1)
      .where('timeline.seq', '>', after)
      .orderBy('timeline.seq')
      .limit(PAGE)
      .select([...STORED_EVENT_COLUMNS, 'timeline.customer_id'])
      .execute()
    for (const row of rows) {
      const event = toStoredEvent(row)
      let state = states.get(row.customer_id)
      if (!state) states.set(row.customer_id, (state = emptyState()))
      foldEvent(state, {
        event,
        row: toTimelineRow(event, projection.definitions),
        definitions: projection.definitions,
        day: projection.days.dayOf(event.ts),
      })
    }
    const last = rows.at(-1)
    if (!last || rows.length < PAGE) break
    after = last.seq
  }
  const drafts = new Map<number, Draft>([...states].map(([customer, state]) => [customer, { state, topics: new Set(['*']) }]))
  await removeProfiles(tx, customers.filter((customer) => !states.has(customer)))
  await saveDrafts(tx, drafts, projection)
}
