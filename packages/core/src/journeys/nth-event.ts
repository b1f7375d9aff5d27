import type { Tx } from '../db/database.ts'
import { rowsOf } from '../db/rows.ts'
import type { EventBody } from '../events/normalize.ts'
import type { JourneyDefinition } from './definition.ts'
import type { Entry } from './enrol.ts'
import { fitsAll, valueAt } from './matches.ts'

/** Entries of those for whom it happened often enough by then; all of them where once is enough. */
export async function oftenEnough(
  tx: Tx,
  { trigger }: JourneyDefinition,
  entries: readonly Entry[],
): Promise<readonly Entry[]> {
  if (trigger.type !== 'event' || !trigger.times || entries.length === 0) return entries
  const { event, key, where } = trigger
  const { count, days } = trigger.times
  const span = days * 86_400_000
  const since = Math.min(...entries.map(({ at }) => at)) - span
  const rows = await tx
    .selectFrom(
      rowsOf(
        tx,
        [...new Set(entries.map(({ customerId }) => customerId))].map((customer) => ({ customer })),
        { customer: 'integer' },
      ),
    )
    // SQLite keeps the order of cross joins: the customers are few, and the timeline is found by them.
    .crossJoin('timeline')
    .innerJoin('events', 'events.seq', 'timeline.seq')
    .whereRef('timeline.customer_id', '=', 'r.customer')
    .where('timeline.ts', '>', since)
    .where('timeline.name', '=', event)
    .where('timeline.current', '=', 1)
    .select(['timeline.customer_id', 'timeline.ts', 'events.body'])
    .execute()
  const happened = Map.groupBy(
    rows.flatMap(({ customer_id, ts, body }) => {
      const properties = (JSON.parse(body) as EventBody).properties ?? {}
      if (!fitsAll(properties, where)) return []
      return [{ customer_id, ts, key: key === undefined ? '' : String(valueAt(properties, key) ?? '') }]
    }),
    ({ customer_id }) => customer_id,
  )
  return entries.filter(
    ({ customerId, entryKey, at }) =>
      (happened.get(customerId) ?? []).filter(
        (each) => each.key === entryKey && each.ts <= at && each.ts > at - span,
      ).length >= count,
  )
}
