import { type Kysely, sql } from 'kysely'
import type { Db } from '../db/database.ts'
import { authorNames } from '../people/author-names.ts'
import { maskIdentifier } from '../people/masking.ts'
import type { Definition } from './definition.ts'
import { tableNameOf } from './layout.ts'
import type { StoredRecord } from './record.ts'

/** What to call what records name: customers, other records, and who wrote them. */
export interface RecordNames {
  customers: Record<string, string>
  /** By field, then by id. */
  records: Record<string, Record<string, string>>
  /** By author: `person:…` or `plugin:…`. */
  authors: Record<string, string>
}

/** Names for everything that these records refer to. What is gone has none. */
export async function namesIn(
  db: Db,
  definition: Definition,
  records: readonly StoredRecord[],
): Promise<RecordNames> {
  const valuesOf = (field: string) => [
    ...new Set(records.map(({ data }) => data[field]).filter((value) => value !== undefined)),
  ]
  const customers = definition.fields
    .filter(({ kind }) => kind === 'customer')
    .flatMap(({ name }) => valuesOf(name))
  const names: RecordNames = {
    customers: await customerNames(db, customers as number[]),
    records: {},
    authors: await authorNames(
      db,
      records.flatMap(({ createdBy, updatedBy }) => [createdBy, updatedBy]),
    ),
  }
  for (const { name, target } of definition.fields) {
    if (target !== null) names.records[name] = await recordTitles(db, target, valuesOf(name) as string[])
  }
  return names
}

/** Names of customers by id; those without a name under their masked key. */
export async function customerNames(db: Db, ids: readonly number[]): Promise<Record<string, string>> {
  if (ids.length === 0) return {}
  const rows = (await db
    .selectFrom('profiles')
    .select(['customer_id', 'key'])
    .select(sql<string | null>`t_name`.as('name'))
    .where('customer_id', 'in', [...new Set(ids)])
    .execute()) as { customer_id: number; key: string; name: string | null }[]
  return Object.fromEntries(
    rows.map(({ customer_id: id, key, name }) => [
      String(id),
      name ||
        maskIdentifier({
          kind: /^\+\d+$/.test(key) ? 'phone' : key.includes('@') ? 'email' : 'id',
          value: key,
        }),
    ]),
  )
}

/** Titles of records of a collection by id. */
export async function recordTitles(
  db: Db,
  collection: string,
  ids: readonly string[],
): Promise<Record<string, string>> {
  if (ids.length === 0) return {}
  const row = await db.selectFrom('collections').selectAll().where('id', '=', collection).executeTakeFirst()
  if (!row) return {}
  const { titleField } = JSON.parse(row.declaration) as Definition['declaration']
  const { columns } = JSON.parse(row.layout) as Definition['layout']
  const column = columns.find(({ name, storage }) => name === titleField && storage === 'text')
  const title = column ? sql<string | null>`${sql.ref(column.column)}` : sql<string | null>`null`
  const titles = (await (db as unknown as Kysely<any>)
    .selectFrom(tableNameOf(collection))
    .select(['id', title.as('title')])
    .where('id', 'in', ids)
    .execute()) as { id: string; title: string | null }[]
  return Object.fromEntries(titles.map(({ id, title: text }) => [id, text ?? `#${id.slice(-6)}`]))
}
