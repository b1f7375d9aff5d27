import { type RawBuilder, type SqlBool, sql } from 'kysely'
import type { Db, Tx } from '../db/database.ts'
import { idRows } from '../db/rows.ts'

/**
 * Ids of customers who want no conclusions drawn from what they do, as a subquery. The last word counts, under whichever
 * of their names it was said; of two words at one moment the no.
 */
export function optedOut(): RawBuilder<unknown> {
  return sql`(select i.customer_id from consents c join identifiers i on i.id = c.customer_id
    where c.purpose = 'profiling' and c.state = 'withdrawn' and not exists (
      select 1 from identifiers gi join consents g on g.customer_id = gi.id
      where gi.customer_id = i.customer_id and g.purpose = 'profiling' and g.state = 'granted' and g.at > c.at))`
}

/** Whether the customer of a row of `profiles` lets conclusions be drawn. */
export function mayBeProfiled(): RawBuilder<SqlBool> {
  return sql<SqlBool>`profiles.customer_id not in ${optedOut()}`
}

/** Which of these customers want no conclusions drawn. */
export async function readOptedOut(db: Db | Tx, customers: readonly number[]): Promise<Set<number>> {
  if (customers.length === 0) return new Set()
  const rows = await db
    .selectFrom(idRows(db, customers))
    .select('r.id')
    .where(sql<boolean>`r.id in ${optedOut()}`)
    .execute()
  return new Set(rows.map(({ id }) => id))
}
