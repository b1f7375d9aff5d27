import type { BusinessDays } from '../days.ts'
import { readCursor, writeCursor } from '../db/cursor.ts'
import type { Tx } from '../db/database.ts'
import { insertRows } from '../db/insert-rows.ts'
import { idRows, rowsOf } from '../db/rows.ts'
import { refusedEvents } from '../events/gate.ts'
import { readEvents, type StoredEvent } from '../events/read.ts'
import { resolveIdentities, type Resolution } from '../identity/resolve.ts'
import type { Definitions } from './definitions.ts'
import { refold } from './refold.ts'
import { emptyState, foldEvent, mergeStates } from './state.ts'
import { type Draft, readStates, removeProfiles, saveDrafts } from './store.ts'
import { type TimelineRow, toTimelineRow } from './timeline.ts'

export const PROFILES_CURSOR = 'profiles'

export interface Projection {
  definitions: Definitions
  days: BusinessDays
  /** Business day that windows count back from. */
  today: number
}

interface Placed extends TimelineRow {
  event: StoredEvent
  identifier_id: number
  customer_id: number
  current: number
}

/**
 * Folds the next events of the log into profiles, and moves the cursor in the same transaction. Returns how many
 * events were read; 0 when there is nothing to do.
 */
export async function projectEvents(tx: Tx, projection: Projection, limit: number): Promise<number> {
  const cursor = await readCursor(tx, PROFILES_CURSOR)
  const read = await readEvents(tx, cursor, limit)
  const last = read.at(-1)
  if (!last) return 0
  const events = await withoutRefused(tx, read)
  const resolution = await resolveIdentities(tx, events)
  const placed = place(events, resolution, projection.definitions)
  const outdated = await supersede(tx, placed)
  await writeTimeline(tx, placed)
  await fold(tx, { placed, resolution, outdated, projection })
  await writeCursor(tx, PROFILES_CURSOR, last.seq)
  return read.length
}

/** Takes out of the log what came into it before its sender was erased, or out of a backup. */
async function withoutRefused(tx: Tx, events: readonly StoredEvent[]): Promise<readonly StoredEvent[]> {
  const refused = await refusedEvents(tx, events.length, (position) => events[position] as StoredEvent)
  if (refused.size === 0) return events
  const gone = idRows(
    tx,
    Array.from(refused, (position) => (events[position] as StoredEvent).seq),
  )
  await tx
    .deleteFrom('events')
    .where('seq', 'in', (where) => where.selectFrom(gone).select('r.id'))
    .execute()
  return events.filter((_, position) => !refused.has(position))
}

function place(events: readonly StoredEvent[], resolution: Resolution, definitions: Definitions): Placed[] {
  return events.flatMap((event, index) => {
    const identifier_id = resolution.identifierOf[index]
    if (identifier_id === undefined || event.type === 'identity') return []
    const row = toTimelineRow(event, definitions)
    return [{ ...row, event, identifier_id, customer_id: resolution.customerOf(identifier_id), current: 1 }]
  })
}

/**
 * Decides which version of each fact is current: the one with the largest version, then message id. Marks the
 * others, here and in the database, and returns the customers who lose an event they had counted.
 */
async function supersede(tx: Tx, placed: Placed[]): Promise<Set<number>> {
  const outdated = new Set<number>()
  const keyed = placed.filter(({ fact_key }) => fact_key !== null)
  if (keyed.length === 0) return outdated
  const keys = [...new Set(keyed.map(({ fact_key }) => fact_key as string))].map((key) => ({ key }))
  const known = await tx
    .selectFrom(rowsOf(tx, keys, { key: 'text' }))
    .innerJoin('timeline', 'timeline.fact_key', 'r.key')
    .innerJoin('events', 'events.seq', 'timeline.seq')
    .where('timeline.current', '=', 1)
    .select([
      'timeline.seq',
      'timeline.customer_id',
      'timeline.version',
      'timeline.fact_key',
      'events.message_id',
    ])
    .execute()
  const stored = new Map(known.map((row) => [row.fact_key, row]))
  const best = new Map<string, Placed>()
  const retired: { seq: number }[] = []
  for (const row of keyed) {
    const key = row.fact_key as string
    const rival = best.get(key)
    const old = stored.get(key)
    const version = { version: row.version, message_id: row.event.message_id }
    if (old && !isNewer(version, old)) row.current = 0
    else if (rival && !isNewer(version, { version: rival.version, message_id: rival.event.message_id }))
      row.current = 0
    else {
      if (rival) rival.current = 0
      best.set(key, row)
    }
  }
  for (const key of best.keys()) {
    const old = stored.get(key)
    if (!old) continue
    retired.push({ seq: old.seq })
    outdated.add(old.customer_id)
  }
  if (retired.length > 0) {
    await tx
      .updateTable('timeline')
      .set({ current: 0 })
      .where('seq', 'in', (where) =>
        where.selectFrom(rowsOf(tx, retired, { seq: 'integer' })).select('r.seq'),
      )
      .execute()
  }
  return outdated
}

async function writeTimeline(tx: Tx, placed: Placed[]): Promise<void> {
  await insertRows(tx, 'timeline', {
    rows: placed.map(({ event, ...row }) => ({ ...row, seq: event.seq, ts: event.ts })),
    columns: {
      seq: 'integer',
      customer_id: 'integer',
      identifier_id: 'integer',
      ts: 'integer',
      name: 'text',
      value: 'real',
      fact_key: 'text',
      version: 'integer',
      current: 'integer',
    },
  })
}

async function fold(
  tx: Tx,
  {
    placed,
    resolution,
    outdated,
    projection,
  }: { placed: Placed[]; resolution: Resolution; outdated: Set<number>; projection: Projection },
): Promise<void> {
  const { merged, divided } = resolution
  const afresh = new Set<number>([...divided].map((customer) => merged.get(customer) ?? customer))
  for (const customer of outdated) afresh.add(merged.get(customer) ?? customer)
  // Whoever takes over a customer that must be folded again has to be folded again as well.
  const wanted = new Set<number>([
    ...merged.keys(),
    ...merged.values(),
    ...placed.map(({ customer_id }) => customer_id),
  ])
  const states = await readStates(
    tx,
    [...wanted].filter((customer) => !afresh.has(customer)),
  )
  const drafts = new Map<number, Draft>()
  const draftOf = (customer: number): Draft => {
    let draft = drafts.get(customer)
    if (!draft)
      drafts.set(customer, (draft = { state: states.get(customer) ?? emptyState(), topics: new Set() }))
    return draft
  }
  for (const [before, after] of merged) {
    const absorbed = states.get(before)
    if (!absorbed || afresh.has(after)) continue
    const draft = draftOf(after)
    draft.state = mergeStates(draft.state, absorbed, projection.definitions.features)
    draft.topics.add('*')
  }
  for (const { event, customer_id, current, ...row } of placed) {
    if (!current || afresh.has(customer_id)) continue
    const draft = draftOf(customer_id)
    foldEvent(draft.state, {
      event,
      row,
      definitions: projection.definitions,
      day: projection.days.dayOf(event.ts),
    })
    draft.topics.add(`event:${row.name}`)
  }
  // A superseded event still tells of identity and traits only through its successor; nothing to fold for it.
  await removeProfiles(
    tx,
    [...merged.keys()].filter((customer) => !afresh.has(customer)),
  )
  await saveDrafts(tx, drafts, projection)
  await refold(tx, [...afresh], projection)
}

function isNewer(
  a: { version: number; message_id: string },
  b: { version: number; message_id: string },
): boolean {
  return a.version !== b.version ? a.version > b.version : a.message_id > b.message_id
}
