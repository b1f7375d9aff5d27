import { sql } from 'kysely'
import type { Tx } from '../db/database.ts'
import { idRows } from '../db/rows.ts'
import { STORED_EVENT_COLUMNS, toStoredEvent } from '../events/read.ts'
import type { Projection } from './project.ts'
import { emptyState, foldEvent, type ProfileState } from './state.ts'
import { type Draft, removeProfiles, saveDrafts } from './store.ts'
import { toTimelineRow } from './timeline.ts'

/** Events read at a time: a customer may have a hundred thousand. */
const PAGE = 5_000

/**
 * Works customers' profiles out again from all their current events. For what cannot be added to what is
 * known: a version of a fact that takes another's place, a merge undone, changed definitions. Every event is read
 * once, however many a customer has.
 */
export async function refold(tx: Tx, customers: readonly number[], projection: Projection): Promise<void> {
  if (customers.length === 0) return
  const states = new Map<number, ProfileState>()
  const fold = (rows: readonly OwnedRow[]) => {
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
  }
  for (const { ids, whole } of await inPages(tx, customers)) {
    if (whole) fold(await eventsOf(tx, ids).execute())
    else for await (const rows of pagesOf(tx, ids[0]!)) fold(rows)
  }
  const drafts = new Map<number, Draft>(
    [...states].map(([customer, state]) => [customer, { state, topics: new Set(['*']) }]),
  )
  await removeProfiles(
    tx,
    customers.filter((customer) => !states.has(customer)),
  )
  await saveDrafts(tx, drafts, projection)
}

type OwnedRow = Parameters<typeof toStoredEvent>[0] & { customer_id: number }

/** Customers whose events make up a page together, and alone those with more. */
async function inPages(tx: Tx, customers: readonly number[]): Promise<{ ids: number[]; whole: boolean }[]> {
  const counts = await tx
    .selectFrom(idRows(tx, customers))
    .innerJoin('timeline', 'timeline.customer_id', 'r.id')
    .groupBy('r.id')
    .select(['r.id', (select) => select.fn.countAll<number>().as('events')])
    .execute()
  const pages: { ids: number[]; whole: boolean }[] = []
  let filled = PAGE
  for (const { id, events } of counts) {
    if (events > PAGE) pages.push({ ids: [id], whole: false })
    else {
      // A customer too many begins the next page; pages of one who fills them stand between.
      if (filled + events > PAGE || !pages.at(-1)?.whole) {
        pages.push({ ids: [], whole: true })
        filled = 0
      }
      pages.at(-1)!.ids.push(id)
      filled += events
    }
  }
  return pages
}

function eventsOf(tx: Tx, ids: readonly number[]) {
  return tx
    .selectFrom(idRows(tx, ids))
    .innerJoin('timeline', 'timeline.customer_id', 'r.id')
    .innerJoin('events', 'events.seq', 'timeline.seq')
    .where('timeline.current', '=', 1)
    .select([...STORED_EVENT_COLUMNS, 'timeline.customer_id'])
}

/** One customer's events page by page, along the index of their times. */
async function* pagesOf(tx: Tx, customer: number): AsyncGenerator<OwnedRow[]> {
  let after = { ts: -Number.MAX_SAFE_INTEGER, seq: 0 }
  for (;;) {
    const rows = await tx
      .selectFrom('timeline')
      .innerJoin('events', 'events.seq', 'timeline.seq')
      .where('timeline.customer_id', '=', customer)
      .where('timeline.current', '=', 1)
      .where(sql<boolean>`(timeline.ts, timeline.seq) > (${after.ts}, ${after.seq})`)
      .orderBy('timeline.ts')
      .orderBy('timeline.seq')
      .limit(PAGE)
      .select([...STORED_EVENT_COLUMNS, 'timeline.customer_id'])
      .execute()
    if (rows.length > 0) yield rows
    const last = rows.at(-1)
    if (!last || rows.length < PAGE) return
    after = { ts: last.ts, seq: last.seq }
  }
}
