import { sql } from 'kysely'
import type { CoreContext } from '../context.ts'
import { BusinessDays } from '../days.ts'
import type { Text } from '../points/points.ts'
import { getSegment } from './queries.ts'

type HistoryContext = Pick<CoreContext, 'database' | 'clock' | 'brand'>

/** Members larger than this are sampled for overlaps. */
const SAMPLED_FROM = 100_000

/** Size, joiners and leavers of a segment on each of the last `length` business days, without gaps. */
export async function segmentHistory(
  context: HistoryContext,
  id: string,
  length = 90,
): Promise<{ day: string; count: number; entered: number; left: number }[]> {
  const { database, clock, brand } = context
  const { count, createdAt, rule } = await getSegment(context, id)
  const days = new BusinessDays((await brand()).timeZone)
  const today = days.dayOf(clock.now())
  const first = Math.max(today - length + 1, days.dayOf(createdAt))
  const rows = await database.db
    .selectFrom('segment_days')
    .selectAll()
    .where('segment_id', '=', id)
    .orderBy('day')
    .execute()
  const byDay = new Map(rows.map((row) => [row.day, row]))
  // A list starts full; a rule starts with nobody.
  let size =
    rows.findLast(({ day }) => day < first)?.count ?? (rule === null && rows.length === 0 ? count : 0)
  const history = []
  for (let day = first; day <= today; day++) {
    const row = byDay.get(day)
    size = row?.count ?? size
    history.push({ day: days.textOf(day), count: size, entered: row?.entered ?? 0, left: row?.left ?? 0 })
  }
  return history
}

/**
 * Other segments that a segment's members are in as well, the largest share first. Of a large segment a part of
 * the members is looked at, always the same, and the numbers are projected: `approximate` says so.
 */
export async function segmentOverlaps(
  context: HistoryContext,
  id: string,
  limit = 20,
): Promise<{
  approximate: boolean
  overlaps: { id: string; name: string; title: Text | null; count: number; share: number }[]
}> {
  const { database, brand } = context
  const segment = await getSegment(context, id)
  const { locale } = await brand()
  const step = Math.max(1, Math.round(segment.count / SAMPLED_FROM))
  const members = database.analytics
    .selectFrom('segment_members')
    .select('customer_id')
    .where('segment_id', '=', id)
    .$if(step > 1, (query) => query.where(sql<boolean>`customer_id % ${sql.lit(step)} = 0`))
  const { sampled } = await database.analytics
    .selectFrom(members.as('m'))
    .select((row) => row.fn.countAll<number>().as('sampled'))
    .executeTakeFirstOrThrow()
  const rows = await database.analytics
    .selectFrom(members.as('m'))
    .innerJoin('segment_members as other', 'other.customer_id', 'm.customer_id')
    .innerJoin('segments', 'segments.id', 'other.segment_id')
    .select([
      'segments.id',
      'segments.name',
      'segments.display',
      (row) => row.fn.countAll<number>().as('common'),
    ])
    .where('segments.id', '<>', id)
    .where('segments.active', '=', 1)
    .groupBy(['segments.id', 'segments.name', 'segments.display'])
    .orderBy('common', 'desc')
    .orderBy('segments.id')
    .limit(limit)
    .execute()
  return {
    approximate: step > 1,
    overlaps: rows.map((row) => {
      const share = sampled === 0 ? 0 : row.common / sampled
      const title = row.display === null ? null : (JSON.parse(row.display) as { title: Text }).title
      return {
        id: row.id,
        name: title?.[locale] ?? row.name,
        title,
        count: step > 1 ? Math.round(share * segment.count) : row.common,
        share,
      }
    }),
  }
}
