import { type AliasedRawBuilder, type Kysely, PostgresAdapter, type RawBuilder, sql } from 'kysely'
import type { Engine } from './database.ts'

export type SqlType = 'integer' | 'real' | 'text' | 'json'

const POSTGRES_TYPES: Record<SqlType, string> = {
  integer: 'bigint',
  real: 'double precision',
  text: 'text',
  json: 'json',
}

/** Engine behind a Kysely handle or transaction. */
export function engineOf(db: Kysely<never> | Kysely<any>): Engine {
  return db.getExecutor().adapter instanceof PostgresAdapter ? 'postgres' : 'sqlite'
}

/**
 * `rows` as a table named `r`: any number of rows, one prepared statement, and the same query on both engines. Missing
 * and `undefined` values are NULL. `json` columns take JSON text.
 *
 * SQLite gets them as one JSON parameter, PostgreSQL as one array a column: it would parse the JSON of a row again for
 * every column of it.
 *
 * @example db.selectFrom(rowsOf(db, [{ id: 1 }], { id: 'integer' })).innerJoin('profiles', …)
 */
export function rowsOf<R extends object>(
  db: Kysely<any>,
  rows: readonly R[],
  columns: { [K in keyof R]-?: SqlType },
): AliasedRawBuilder<R, 'r'> {
  const names = Object.keys(columns) as (keyof R & string)[]
  return sql<R>`(${engineOf(db) === 'postgres' ? fromArrays() : fromJson()})`.as('r') as AliasedRawBuilder<
    R,
    'r'
  >

  function fromArrays(): RawBuilder<unknown> {
    const types = (name: keyof R) => sql.raw(POSTGRES_TYPES[columns[name]])
    const arrays = names.map((name) => ({ name, values: rows.map((row) => toElement(row[name])) }))
    // What is the same in every row travels once.
    const [lists, constants] = [
      arrays.filter(({ values }, at) => at === 0 || !isConstant(values)),
      arrays.filter(({ values }, at) => at > 0 && isConstant(values)),
    ]
    const list = sql.join(lists.map(({ name }) => sql.ref(name)))
    const unnested = sql.join(lists.map(({ name, values }) => sql`${sql.val(values)}::${types(name)}[]`))
    const single = constants.map(
      ({ name, values }) => sql`, ${sql.val(values[0])}::${types(name)} as ${sql.ref(name)}`,
    )
    return sql`select j.*${sql.join(single, sql``)} from unnest(${unnested}) as j(${list})`
  }

  function fromJson(): RawBuilder<unknown> {
    const json = JSON.stringify(rows.map((row) => names.map((name) => row[name] ?? null)))
    const fields = names.map((name, index) => sql`value ->> ${sql.lit(index)} as ${sql.ref(name)}`)
    return sql`select ${sql.join(fields)} from json_each(${json})`
  }
}

function isConstant(values: readonly unknown[]): boolean {
  return values.length > 0 && values.every((value) => value === values[0])
}

/** What a place of an array holds: as it would be read out of JSON. */
function toElement(value: unknown): unknown {
  if (value === undefined || value === null) return null
  if (typeof value === 'number' && !Number.isFinite(value)) return null
  return typeof value === 'object' ? JSON.stringify(value) : value
}

/** Ids as a table named `r` with the column `id`: {@link rowsOf} for what is asked most. */
export function idRows(db: Kysely<any>, ids: Iterable<number>): AliasedRawBuilder<{ id: number }, 'r'> {
  return rowsOf(
    db,
    Array.from(ids, (id) => ({ id })),
    { id: 'integer' },
  )
}

/**
 * Whether a column is one of any number of values: one parameter on both engines, and the column's index is used. For
 * what is looked up in one table; a join on {@link rowsOf} lets PostgreSQL read the whole table while it is small.
 */
export function isOneOf(
  db: Kysely<any>,
  column: string,
  values: Iterable<number> | Iterable<string>,
): RawBuilder<boolean> {
  const list: readonly (number | string)[] = [...values]
  if (engineOf(db) === 'sqlite')
    return sql<boolean>`${sql.ref(column)} in (select value from json_each(${JSON.stringify(list)}))`
  const type = typeof list[0] === 'string' ? 'text' : 'bigint'
  return sql<boolean>`${sql.ref(column)} = any(${sql.val(list)}::${sql.raw(type)}[])`
}

/** Text found at `path` (property names and array positions) of a JSON column; NULL when absent. */
export function jsonText(
  db: Kysely<any>,
  column: string,
  path: readonly (string | number)[],
): RawBuilder<string | null> {
  if (engineOf(db) === 'postgres') {
    return sql<string | null>`(${sql.ref(column)} #>> ${sql.val(path.map(String))}::text[])`
  }
  const steps = path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `."${step.replaceAll('"', '')}"`))
    .join('')
  return sql<string | null>`cast(json_extract(${sql.ref(column)}, ${`$${steps}`}) as text)`
}
