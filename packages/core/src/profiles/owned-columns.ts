import { sql } from 'kysely'
import type { Database, Db, Tx } from '../db/database.ts'
import { transact } from '../db/database.ts'
import type { Text } from '../points/points.ts'
import { announceForAll } from './store.ts'

export interface OwnedColumn {
  name: string
  owner: string
  kind: string
  title: Text
}

/** Columns of one owner, or of all; also those that are out of use and keep their values. */
export async function listOwnedColumns(db: Db | Tx, owner?: string): Promise<OwnedColumn[]> {
  const rows = await db
    .selectFrom('profile_columns')
    .select(['name', 'owner', 'kind', 'title'])
    .$if(owner !== undefined, (query) => query.where('owner', '=', owner!))
    .orderBy('name')
    .execute()
  return rows.map((row) => ({ ...row, title: JSON.parse(row.title) as Text }))
}

/** How many customers have a value in each column. */
export async function countFilled(
  { analytics }: Pick<Database, 'analytics'>,
  names: readonly string[],
): Promise<Record<string, number>> {
  if (names.length === 0) return {}
  const counts = await analytics
    .selectFrom('profiles')
    .select(names.map((name) => sql<number>`count(${sql.ref(name)})`.as(name)))
    .executeTakeFirstOrThrow()
  return counts as Record<string, number>
}

export type ExportedRow = { key: string } & Record<string, unknown>

/** Customers who have a value in any of the columns, in steps that fit into memory. */
export async function* exportColumns(
  { analytics }: Pick<Database, 'analytics'>,
  names: readonly string[],
  step = 5_000,
): AsyncGenerator<ExportedRow[]> {
  if (names.length === 0) return
  for (let last = 0; ;) {
    const rows = await analytics
      .selectFrom('profiles')
      .select(['customer_id', 'key', ...names.map((name) => sql.ref(name).as(name))])
      .where('customer_id', '>', last)
      .where(({ or }) => or(names.map((name) => sql<boolean>`${sql.ref(name)} is not null`)))
      .orderBy('customer_id')
      .limit(step)
      .execute()
    if (rows.length === 0) return
    last = (rows.at(-1) as { customer_id: number }).customer_id
    yield rows.map(({ customer_id: _, ...row }) => row as ExportedRow)
    if (rows.length < step) return
  }
}

/** Empties columns and takes them out of the registry, in steps between which others get their turn. */
export async function eraseColumns(
  { db }: Pick<Database, 'db'>,
  names: readonly string[],
  step = 20_000,
): Promise<void> {
  if (names.length === 0) return
  for (let last = 0; ;) {
    const upTo = await db
      .selectFrom(
        db
          .selectFrom('profiles')
          .select('customer_id')
          .where('customer_id', '>', last)
          .orderBy('customer_id')
          .limit(step)
          .as('step'),
      )
      .select(({ fn }) => fn.max('customer_id').as('id'))
      .executeTakeFirst()
    if (upTo?.id == null) break
    const empty = sql.join(names.map((name) => sql`${sql.ref(name)} = null`))
    await sql`update profiles set ${empty} where customer_id > ${last} and customer_id <= ${upTo.id}`.execute(
      db,
    )
    last = upTo.id
  }
  await transact(db, async (tx) => {
    await tx.deleteFrom('profile_columns').where('name', 'in', names).execute()
    await announceForAll(tx, names)
  })
}
