import { CompiledQuery, type RawBuilder, sql } from 'kysely'
import type { Tables } from '../schema.ts'
import type { Tx } from './database.ts'
import { engineOf, rowsOf, type SqlType } from './rows.ts'
import { sealRows } from './sealing.ts'
import { EachRow } from './sqlite-driver.ts'

export interface InsertOptions {
  /**
   * Columns that no two rows of the table share, and what becomes of a row that is there: it is kept, takes the new
   * values, or has them added to its own; of what is not added up, it takes those of `set`.
   */
  conflict?: { columns: readonly string[]; then: 'keep' | 'replace' | Adding }
}

interface Adding {
  add: readonly string[]
  set?: readonly string[]
}

type Columns<R> = { [K in keyof R]-?: SqlType }

/**
 * Inserts many rows at once and returns the positions of those that were written. Missing and `undefined` values are
 * NULL; `json` columns take JSON text. But for `keep` no two of `rows` may be about the same row.
 *
 * SQLite runs one prepared statement row after row, at half the cost of reading the rows out of a JSON parameter;
 * PostgreSQL, where every statement is a journey, gets all of them in one.
 */
export async function insertRows<R extends object>(
  tx: Tx,
  table: keyof Tables,
  { rows: given, columns, conflict }: { rows: readonly R[]; columns: Columns<R> } & InsertOptions,
): Promise<number[]> {
  if (given.length === 0) return []
  const rows = sealRows(tx, table, given)
  const names = Object.keys(columns) as (keyof R & string)[]
  const list = sql.join(names.map((name) => sql.ref(name)))
  const target = sql`insert into ${sql.table(table)} (${list})`
  const outcome = conflict ? onConflict(table, names, conflict) : sql``
  if (engineOf(tx) === 'sqlite') {
    return await runEach(tx, sql`${target} values (${placesFor(names)})${outcome}`, { rows, columns, names })
  }
  const source = sql`${target} select ${list} from ${rowsOf(tx, rows, columns)}${outcome}`
  if (conflict?.then !== 'keep') {
    await source.execute(tx)
    return rows.map((_, position) => position)
  }
  const keys = conflict.columns as (keyof R & string)[]
  const { rows: written } =
    await sql<R>`${source} returning ${sql.join(keys.map((key) => sql.ref(key)))}`.execute(tx)
  const keyOf = (row: R) => JSON.stringify(keys.map((key) => String(row[key])))
  const positions = new Map(rows.map((row, position) => [keyOf(row), position] as const).toReversed())
  return written.map((row) => positions.get(keyOf(row)) as number)
}

/** Sets columns of rows that are there, by key. Rows that are not are left out. */
export async function updateRows<R extends object>(
  tx: Tx,
  table: keyof Tables,
  { rows: given, columns, key }: { rows: readonly R[]; columns: Columns<R>; key: keyof R & string },
): Promise<void> {
  if (given.length === 0) return
  const rows = sealRows(tx, table, given)
  const names = (Object.keys(columns) as (keyof R & string)[]).filter((name) => name !== key)
  if (engineOf(tx) === 'sqlite') {
    const changes = sql.join(names.map((name) => sql`${sql.ref(name)} = ${sql.raw('?')}`))
    const query = sql`update ${sql.table(table)} set ${changes} where ${sql.ref(key)} = ${sql.raw('?')}`
    await runEach(tx, query, { rows, columns, names: [...names, key] })
    return
  }
  const changes = sql.join(names.map((name) => sql`${sql.ref(name)} = ${sql.ref(`r.${name}`)}`))
  await sql`update ${sql.table(table)} set ${changes} from ${rowsOf(tx, rows, columns)} where ${sql.ref(`${table}.${key}`)} = ${sql.ref(`r.${key}`)}`.execute(
    tx,
  )
}

async function runEach<R extends object>(
  tx: Tx,
  query: RawBuilder<unknown>,
  { rows, columns, names }: { rows: readonly R[]; columns: Columns<R>; names: readonly (keyof R & string)[] },
): Promise<number[]> {
  const types = names.map((name) => columns[name])
  const parameters = rows.map((row) =>
    names.map((name, index) => toParameter(row[name], types[index] as SqlType)),
  )
  const { rows: changed } = await tx.executeQuery<number>(
    CompiledQuery.raw(query.compile(tx).sql, [new EachRow(parameters)]),
  )
  return changed
}

/** What SQLite stores for a value: as it would be read out of JSON, so that both ways give the same database. */
function toParameter(value: unknown, type: SqlType): unknown {
  if (value === undefined || value === null) return null
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'number' && !Number.isFinite(value)) return null
  return type === 'text' && typeof value !== 'string' ? String(value) : value
}

function onConflict(
  table: keyof Tables,
  names: readonly string[],
  { columns, then }: NonNullable<InsertOptions['conflict']>,
): RawBuilder<unknown> {
  const keys = sql.join(columns.map((column) => sql.ref(column)))
  if (then === 'keep') return sql` on conflict (${keys}) do nothing`
  const taken = then === 'replace' ? names.filter((name) => !columns.includes(name)) : (then.set ?? [])
  const added = then === 'replace' ? [] : then.add
  const updates = [
    ...taken.map((name) => sql`${sql.ref(name)} = excluded.${sql.ref(name)}`),
    ...added.map(
      (name) => sql`${sql.ref(name)} = ${sql.ref(`${table}.${name}`)} + excluded.${sql.ref(name)}`,
    ),
  ]
  return sql` on conflict (${keys}) do update set ${sql.join(updates)}`
}

function placesFor(names: readonly string[]): RawBuilder<unknown> {
  return sql.raw(names.map(() => '?').join(', '))
}
