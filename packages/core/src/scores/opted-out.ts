import { sql } from 'kysely'
import { type Db, transact, type Tx } from '../db/database.ts'
import { idRows } from '../db/rows.ts'
import { optedOut } from '../people/opted-out.ts'
import { readColumns } from '../profiles/columns.ts'
import { announce } from '../profiles/store.ts'

/**
 * Takes scores and labels away from customers who want no conclusions drawn, from these or from all that have some.
 * Returns how many had any.
 */
export async function clearOptedOut(db: Db | Tx, customers?: readonly number[]): Promise<number> {
  if (!db.isTransaction) return await transact(db as Db, (tx) => clearOptedOut(tx, customers))
  const tx = db as Tx
  const columns = (await readColumns(tx)).filter(({ kind }) => kind === 'score' || kind === 'label')
  if (columns.length === 0) return 0
  const refs = columns.map(({ name }) => sql.ref(name))
  const someHold = sql.join(
    refs.map((ref) => sql`${ref} is not null`),
    sql` or `,
  )
  const these =
    customers === undefined ? sql`` : sql`and customer_id in (select r.id from ${idRows(tx, customers)})`
  const { rows } = await sql<{ customer_id: number }>`update profiles
    set ${sql.join(refs.map((ref) => sql`${ref} = null`))}
    where customer_id in ${optedOut()} ${these} and (${someHold}) returning customer_id`.execute(tx)
  await announce(
    tx,
    rows.map(({ customer_id }) => ({
      customer_id,
      columns: JSON.stringify(columns.map(({ name }) => name)),
    })),
  )
  return rows.length
}
