import { sql } from 'kysely'
import type { Tx } from '../db/database.ts'
import { rowsOf } from '../db/rows.ts'

export interface MembershipChange {
  segment_id: string
  customer_id: number
  /** 1 joins, 0 leaves. */
  entered: number
}

/**
 * Writes who joined and who left, together with the log, the counts and the day's figures. A change that is
 * already so, or whose segment is gone, writes nothing. Returns how many did.
 */
export async function applyChanges(
  tx: Tx,
  changes: readonly MembershipChange[],
  { now, day }: { now: number; day: number },
): Promise<number> {
  if (changes.length === 0) return 0
  const done = [
    ...(
      await join(
        tx,
        changes.filter(({ entered }) => entered === 1),
        now,
      )
    ).map((row) => ({ ...row, entered: 1 })),
    ...(
      await leave(
        tx,
        changes.filter(({ entered }) => entered === 0),
      )
    ).map((row) => ({ ...row, entered: 0 })),
  ]
  if (done.length === 0) return 0
  await tx
    .insertInto('segment_changes')
    .columns(['segment_id', 'customer_id', 'at', 'entered'])
    .expression(
      tx
        .selectFrom(rowsOf(tx, done, { segment_id: 'text', customer_id: 'integer', entered: 'integer' }))
        .select((row) => [
          'r.segment_id',
          'r.customer_id',
          row.val(now).$castTo<number>().as('at'),
          'r.entered',
        ])
        .orderBy('r.segment_id')
        .orderBy('r.customer_id'),
    )
    .execute()
  await count(tx, done, day)
  return done.length
}

async function join(tx: Tx, changes: readonly MembershipChange[], now: number) {
  if (changes.length === 0) return []
  return await tx
    .insertInto('segment_members')
    .columns(['segment_id', 'customer_id', 'entered_at'])
    .expression(
      tx
        .selectFrom(rowsOf(tx, changes, { segment_id: 'text', customer_id: 'integer', entered: 'integer' }))
        .innerJoin('segments', 'segments.id', 'r.segment_id')
        .select((row) => [
          'r.segment_id',
          'r.customer_id',
          sql<number>`cast(${row.val(now)} as bigint)`.as('entered_at'),
        ])
        .where(sql<boolean>`true`),
    )
    .onConflict((conflict) => conflict.columns(['segment_id', 'customer_id']).doNothing())
    .returning(['segment_id', 'customer_id'])
    .execute()
}

async function leave(tx: Tx, changes: readonly MembershipChange[]) {
  if (changes.length === 0) return []
  const rows = rowsOf(tx, changes, { segment_id: 'text', customer_id: 'integer', entered: 'integer' })
  return await tx
    .deleteFrom('segment_members')
    .where(sql<boolean>`(segment_id, customer_id) in (select r.segment_id, r.customer_id from ${rows})`)
    .returning(['segment_id', 'customer_id'])
    .execute()
}

async function count(tx: Tx, done: readonly MembershipChange[], day: number): Promise<void> {
  const bySegment = new Map<string, { entered: number; left: number }>()
  for (const { segment_id, entered } of done) {
    const counts = bySegment.get(segment_id) ?? { entered: 0, left: 0 }
    if (entered) counts.entered++
    else counts.left++
    bySegment.set(segment_id, counts)
  }
  for (const [id, { entered, left }] of bySegment) {
    const segment = await tx
      .updateTable('segments')
      .set((row) => ({ member_count: row('member_count', '+', entered - left) }))
      .where('id', '=', id)
      .returning('member_count')
      .executeTakeFirst()
    if (!segment) continue
    await tx
      .insertInto('segment_days')
      .values({ segment_id: id, day, count: segment.member_count, entered, left })
      .onConflict((conflict) =>
        conflict.columns(['segment_id', 'day']).doUpdateSet({
          count: segment.member_count,
          entered: sql`segment_days.entered + ${sql.lit(entered)}`,
          left: sql`segment_days."left" + ${sql.lit(left)}`,
        }),
      )
      .execute()
  }
}
