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
 * `rows` as a table named `r`, sent as one JSON parameter: any number of rows, one prepared statement, and the
 * same query on both engines. Missing and `undefined` values are NULL. `json` columns take JSON text.
 *
 * @example db.selectFrom(rowsOf(db, [{ id: 1 }], { id: 'integer' })).innerJoin('profiles', …)
 */
export function rowsOf<R extends object>(
  db: Kysely<any>,
  rows: readonly R[],
  columns: { [K in keyof R]-?: SqlType },
): AliasedRawBuilder<R, 'r'> {
  const names = Object.keys(columns) as (keyof R & string)[]
  const json = JSON.stringify(rows.map((row) => names.map((name) => row[name] ?? null)))
  const fields = names.map((name, index) => field(engineOf(db), columns[name], { name, index }))
  const source =
    engineOf(db) === 'postgres'
      ? sql`json_array_elements(${json}::json) as j(value)`
      : sql`json_each(${json})`
  return sql<R>`(select ${sql.join(fields)} from ${source})`.as('r') as AliasedRawBuilder<R, 'r'>
}

/** Ids as a table named `r` with the column `id`: {@link rowsOf} for what is asked most. */
export function idRows(db: Kysely<any>, ids: Iterable<number>): AliasedRawBuilder<{ id: number }, 'r'> {
  return rowsOf(
    db,
    Array.from(ids, (id) => ({ id })),
    { id: 'integer' },
  )
}

function field(
  engine: Engine,
  type: SqlType,
  { name, index }: { name: string; index: number },
): RawBuilder<unknown> {
  if (engine === 'postgres') {
    return sql`(value ->> ${sql.lit(index)})::${sql.raw(POSTGRES_TYPES[type])} as ${sql.ref(name)}`
  }
  return sql`value ->> ${sql.lit(index)} as ${sql.ref(name)}`
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
