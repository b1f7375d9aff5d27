import { sql } from 'kysely'
import { readCursor } from '../db/cursor.ts'
import { type Db, transact, type Tx } from '../db/database.ts'
import { idRows } from '../db/rows.ts'
import type { Tables } from '../schema.ts'
import { takeTurn } from '../events/append.ts'

/** Rows taken away in one transaction: ingestion gets its turn in between. */
const STEP = 2_000

/** Rows that went, by what they were. */
export type Removed = Record<string, number>

/** Tables whose rows belong to one customer, by the column that says to whom. */
const OWNED: { table: keyof Tables; column: string; as: string }[] = [
  { table: 'profile_changes', column: 'customer_id', as: 'profiles' },
  { table: 'profile_states', column: 'customer_id', as: 'profiles' },
  { table: 'profiles', column: 'customer_id', as: 'profiles' },
  { table: 'contact_days', column: 'customer_id', as: 'messages' },
  { table: 'contact_channels', column: 'customer_id', as: 'messages' },
  { table: 'consents', column: 'customer_id', as: 'consents' },
  { table: 'consent_ledger', column: 'customer_id', as: 'consents' },
  { table: 'experiment_exposures', column: 'customer_id', as: 'journeys' },
  { table: 'bulk_targets', column: 'customer_id', as: 'journeys' },
]

/** Tables whose rows hang on rows that belong to a customer: parents last, so that a crash leaves no orphans. */
const FAMILIES: {
  parent: 'enrolments' | 'deliveries' | 'tasks'
  as: string
  children: { table: keyof Tables; column: string; of: string }[]
}[] = [
  {
    parent: 'enrolments',
    as: 'journeys',
    children: [{ table: 'enrolment_steps', column: 'enrolment_id', of: 'id' }],
  },
  {
    parent: 'deliveries',
    as: 'messages',
    children: [
      { table: 'delivery_events', column: 'delivery_id', of: 'id' },
      { table: 'held_clicks', column: 'delivery_id', of: 'id' },
      { table: 'message_links', column: 'delivery_id', of: 'id' },
      { table: 'early_receipts', column: 'provider_id', of: 'provider_id' },
    ],
  },
  {
    parent: 'tasks',
    as: 'tasks',
    children: [{ table: 'task_events', column: 'task_id', of: 'id' }],
  },
]

/** Takes away every row that belongs to the customer who is known as `ids`. What is gone already costs nothing. */
export async function eraseRows(db: Db, ids: readonly number[], removed: Removed): Promise<void> {
  await eraseMemberships(db, ids, removed)
  await eraseTimeline(db, ids, removed)
  for (const { parent, as, children } of FAMILIES) {
    await inSteps(db, async (tx) => {
      const rows = await tx
        .selectFrom(parent)
        .selectAll()
        .where('customer_id', 'in', (where) => where.selectFrom(idRows(tx, ids)).select('r.id'))
        .limit(STEP)
        .execute()
      for (const { table, column, of } of children) {
        const keys = rows.map((row) => (row as Record<string, unknown>)[of]).filter((key) => key !== null)
        count(removed, as, await deleteWhere(tx, table, column, keys))
      }
      const gone = await deleteWhere(
        tx,
        parent,
        'id',
        rows.map(({ id }) => id),
      )
      count(removed, as, gone)
      return rows.length
    })
  }
  for (const { table, column, as } of OWNED)
    await inSteps(db, async (tx) => {
      count(removed, as, await deleteWhere(tx, table, column, ids))
      return 0
    })
}

/** Out of segments, and out of the record of who was in them; counts of days that have passed stay. */
async function eraseMemberships(db: Db, ids: readonly number[], removed: Removed): Promise<void> {
  await inSteps(db, async (tx) => {
    await readCursor(tx, 'segments')
    const left = await tx
      .deleteFrom('segment_members')
      .where('customer_id', 'in', (where) => where.selectFrom(idRows(tx, ids)).select('r.id'))
      .returning('segment_id')
      .execute()
    for (const [id, gone] of Map.groupBy(left, ({ segment_id }) => segment_id))
      await tx
        .updateTable('segments')
        .set((row) => ({ member_count: row('member_count', '-', gone.length) }))
        .where('id', '=', id)
        .execute()
    const changes = await deleteWhere(tx, 'segment_changes', 'customer_id', ids)
    count(removed, 'segments', left.length + changes)
    return 0
  })
}

/** Events are found by the timeline, which tells whose they are. */
async function eraseTimeline(db: Db, ids: readonly number[], removed: Removed): Promise<void> {
  await inSteps(db, async (tx) => {
    await takeTurn(tx)
    const rows = await tx
      .selectFrom('timeline')
      .select('seq')
      .where('customer_id', 'in', (where) => where.selectFrom(idRows(tx, ids)).select('r.id'))
      .limit(STEP)
      .execute()
    const seqs = rows.map(({ seq }) => seq)
    count(removed, 'events', await deleteWhere(tx, 'events', 'seq', seqs))
    await deleteWhere(tx, 'timeline', 'seq', seqs)
    return rows.length
  })
}

/** Repeats `step` until it has met fewer rows than it takes at once. */
async function inSteps(db: Db, step: (tx: Tx) => Promise<number>): Promise<void> {
  for (;;) if ((await transact(db, step)) < STEP) return
}

export async function deleteWhere(
  tx: Tx,
  table: keyof Tables,
  column: string,
  keys: readonly unknown[],
): Promise<number> {
  let gone = 0
  for (let at = 0; at < keys.length; at += STEP) {
    const list = sql.join(keys.slice(at, at + STEP))
    const { numAffectedRows } =
      await sql`delete from ${sql.table(table)} where ${sql.ref(column)} in (${list})`.execute(tx)
    gone += Number(numAffectedRows ?? 0)
  }
  return gone
}

export function count(removed: Removed, what: string, rows: number): void {
  if (rows > 0) removed[what] = (removed[what] ?? 0) + rows
}
