import { type Kysely, sql } from 'kysely'
import { type Db, transact, type Tx } from '../db/database.ts'
import type { Tables } from '../schema.ts'
import { count, type Removed } from './erase-rows.ts'
import type { MarkFinder } from './marks.ts'

/** Rows looked through at a time. */
const PAGE = 1_000

interface TextTable {
  table: keyof Tables
  key: string[]
  /**
   * Columns and how they are cleaned: `row` makes a row of a table that holds a mark lose all its cells, and where a
   * mark stands in one that is `gone` the whole row goes.
   */
  columns: Record<string, 'text' | 'json' | 'row' | 'gone'>
}

/** Tables that belong to nobody, and may name somebody all the same. */
const TEXTS: TextTable[] = [
  {
    table: 'rejected_events',
    key: ['id'],
    columns: { message: 'gone', excerpt: 'gone' },
  },
  {
    table: 'imports',
    key: ['id'],
    columns: { name: 'text', facts: 'row', mapping: 'json', dry_run: 'row', result: 'row', error: 'row' },
  },
  {
    table: 'jobs',
    key: ['id'],
    columns: { title: 'text', payload: 'json', result: 'json', error: 'json' },
  },
  { table: 'plugin_storage', key: ['plugin_id', 'key'], columns: { key: 'gone', value: 'json' } },
  { table: 'collection_history', key: ['seq'], columns: { before: 'json' } },
  { table: 'collection_outbox', key: ['seq'], columns: { change: 'json', error: 'text' } },
  { table: 'early_receipts', key: ['channel', 'provider_id', 'at'], columns: { receipt: 'json' } },
  { table: 'channel_accounts', key: ['id'], columns: { last_error: 'text' } },
  { table: 'segments', key: ['id'], columns: { rule: 'json' } },
  { table: 'erasures', key: ['id'], columns: { reason: 'text' } },
  { table: 'exports', key: ['id'], columns: { reason: 'text' } },
]

/** Takes a customer's name out of what is about something else: rows of files, results of jobs, values of plugins. */
export async function eraseTexts(db: Db, finder: MarkFinder, removed: Removed): Promise<void> {
  if (finder.marks.length === 0) return
  for (const text of TEXTS)
    for await (const row of rowsWith(db, text, finder)) {
      await transact(db, (tx) => cleanRow(tx, text, row, finder))
      count(removed, 'texts', 1)
    }
}

type Row = Record<string, unknown>

/** Rows that hold a mark. They are looked through here: personal data may lie sealed in the database. */
export async function* rowsWith(
  db: Kysely<any>,
  { table, key, columns }: { table: string; key: readonly string[]; columns: Record<string, unknown> },
  finder: MarkFinder,
): AsyncGenerator<Row> {
  const names = Object.keys(columns)
  const order = sql.join(key.map((name) => sql.ref(name)))
  for (let from: unknown[] | undefined; ;) {
    const page = (await db
      .selectFrom(table)
      .select([...new Set([...key, ...names])])
      .$if(from !== undefined, (query) => query.where(sql<boolean>`(${order}) > (${sql.join(from ?? [])})`))
      .$call((query) => key.reduce((ordered, name) => ordered.orderBy(name), query))
      .limit(PAGE)
      .execute()) as Row[]
    for (const row of page) if (names.some((name) => holds(row, name, finder))) yield row
    const last = page.at(-1)
    if (!last || page.length < PAGE) return
    from = key.map((name) => last[name])
  }
}

export function holds(row: Row, name: string, finder: MarkFinder): boolean {
  const value = row[name]
  return typeof value === 'string' && finder.isIn(value)
}

async function cleanRow(tx: Tx, { table, key, columns }: TextTable, row: Row, finder: MarkFinder) {
  const tables = tx as unknown as Kysely<any>
  const isRow = sql<boolean>`${sql.join(
    key.map((name) => sql`${sql.ref(name)} = ${row[name]}`),
    sql` and `,
  )}`
  if (Object.entries(columns).some(([name, how]) => how === 'gone' && holds(row, name, finder))) {
    await tables.deleteFrom(table).where(isRow).execute()
    return
  }
  const set = Object.entries(columns).flatMap(([name, how]) => {
    if (!holds(row, name, finder)) return []
    const before = row[name] as string
    const after =
      how === 'text' ? finder.without(before) : finder.withoutInJson(before, { rows: how === 'row' })
    return [[name, after]]
  })
  await tables.updateTable(table).set(Object.fromEntries(set)).where(isRow).execute()
}
