import { type Kysely, sql } from 'kysely'
import { type Definition, toDefinition } from '../collections/definition.ts'
import type { Layout } from '../collections/layout.ts'
import { recordColumns, type RecordRow, toRecord } from '../collections/record.ts'
import { searchTable } from '../collections/search-index.ts'
import { addToSearch, sealedColumns, termsOf, vector } from '../collections/write.ts'
import { type Database, transact, type Tx } from '../db/database.ts'
import { engineOf, idRows } from '../db/rows.ts'
import { vaultOf } from '../db/sealing.ts'
import { count, type Removed } from './erase-rows.ts'
import { holds, rowsWith } from './erase-texts.ts'
import type { MarkFinder } from './marks.ts'

interface Erasing {
  ids: readonly number[]
  finder: MarkFinder
  removed: Removed
}

/**
 * Takes away the records that are about the customer, with what they were before, and the customer's name out of
 * records that are about something else. Columns of earlier versions of a collection count as well.
 */
export async function eraseRecords(database: Database, erasing: Erasing): Promise<void> {
  const rows = await database.db.selectFrom('collections').selectAll().execute()
  for (const row of rows) {
    const layout = JSON.parse(row.layout) as Layout
    const columns = [...layout.columns, ...layout.retired]
    const about = columns.filter(({ storage }) => storage === 'customer').map(({ column }) => column)
    if (about.length > 0) await eraseAbout(database, { row, about }, erasing)
    const texts = columns.filter(({ storage }) => storage === 'text' || storage === 'json')
    if (texts.length > 0 && erasing.finder.marks.length > 0)
      await cleanRecords(database, { definition: toDefinition(row), texts }, erasing)
  }
}

async function eraseAbout(
  { db }: Database,
  { row, about }: { row: { id: string; table_name: string; declaration: string }; about: string[] },
  { ids, removed }: Erasing,
): Promise<void> {
  await transact(db, async (tx) => {
    const fields = about.map((column) => column.replace(/^p_/, ''))
    const mine = sql.join(
      about.map((column) => sql`${sql.ref(column)} in (select r.id from ${idRows(tx, ids)})`),
      sql` or `,
    )
    const { rows: gone } = await sql<{ seq: number; id: string }>`
      delete from ${sql.table(row.table_name)} where ${mine} returning seq, id`.execute(tx)
    if (engineOf(tx) === 'sqlite')
      for (const { seq } of gone)
        await sql`delete from ${sql.table(searchTable(row.table_name))} where rowid = ${seq}`.execute(tx)
    const past = await eraseHistory(
      tx,
      { collection: row.id, fields, records: gone.map(({ id }) => id) },
      ids,
    )
    count(removed, 'records', gone.length + past)
  })
}

/** What records were before, and what the plugin has still to be told of them. */
async function eraseHistory(
  tx: Tx,
  { collection, fields, records }: { collection: string; fields: string[]; records: string[] },
  ids: readonly number[],
): Promise<number> {
  const known = new Set(ids)
  const deleted = new Set(records)
  const names = (data: Record<string, unknown> | undefined) =>
    data !== undefined && fields.some((field) => known.has(Number(data[field])))
  const history = await tx
    .selectFrom('collection_history')
    .select(['seq', 'record_id', 'before'])
    .where('collection', '=', collection)
    .execute()
  const past = history.filter(
    ({ record_id, before }) => deleted.has(record_id) || names((JSON.parse(before) as { data?: Data }).data),
  )
  const outbox = await tx
    .selectFrom('collection_outbox')
    .select(['seq', 'record_id', 'change'])
    .where('collection', '=', collection)
    .execute()
  const untold = outbox.filter(({ record_id, change }) => {
    const { record, previous } = JSON.parse(change) as {
      record?: { data?: Data }
      previous?: { data?: Data }
    }
    return deleted.has(record_id) || names(record?.data) || names(previous?.data)
  })
  for (const { seq } of past) await tx.deleteFrom('collection_history').where('seq', '=', seq).execute()
  for (const { seq } of untold) await tx.deleteFrom('collection_outbox').where('seq', '=', seq).execute()
  return past.length
}

type Data = Record<string, unknown>

async function cleanRecords(
  { db }: Database,
  { definition, texts }: { definition: Definition; texts: { column: string; storage: string }[] },
  { finder, removed }: Erasing,
): Promise<void> {
  const columns = Object.fromEntries(texts.map(({ column, storage }) => [column, storage]))
  for await (const row of rowsWith(
    db,
    { table: definition.table, key: ['seq'], columns: { ...columns, id: 'id' } },
    finder,
  )) {
    const set = texts.flatMap(({ column, storage }) => {
      if (!holds(row, column, finder)) return []
      const before = row[column] as string
      return [[column, storage === 'json' ? finder.withoutInJson(before) : finder.without(before)]]
    })
    if (set.length === 0) continue
    await transact(db, async (tx) => {
      const tables = tx as unknown as Kysely<any>
      await tables
        .updateTable(definition.table)
        .set(sealedColumns(tx, definition, Object.fromEntries(set)))
        .where('id', '=', row['id'])
        .execute()
      await indexAnew(tx, definition, row['id'] as string)
    })
    count(removed, 'texts', 1)
  }
}

async function indexAnew(tx: Tx, definition: Definition, id: string): Promise<void> {
  const tables = tx as unknown as Kysely<any>
  const row = (await tables
    .selectFrom(definition.table)
    .select(recordColumns(definition, definition.fields))
    .where(`${definition.table}.id`, '=', id)
    .executeTakeFirst()) as RecordRow | undefined
  if (!row) return
  const terms = termsOf(definition, toRecord(row, definition.fields), vaultOf(tx))
  if (engineOf(tx) === 'postgres') {
    await tables
      .updateTable(definition.table)
      .set({ search: vector(terms) })
      .where('id', '=', id)
      .execute()
    return
  }
  await sql`delete from ${sql.table(searchTable(definition.table))} where rowid = ${row.seq}`.execute(tx)
  await addToSearch(tx, definition, Number(row.seq), terms)
}
