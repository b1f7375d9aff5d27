import type { CollectionRecord } from '@huitou/plugin-api'
import { type AliasedRawBuilder, type Kysely, sql } from 'kysely'
import type { CollectionField, Definition } from './definition.ts'
import type { RecordData } from './record-schema.ts'

/** Who changed something: `person:<user id>` or `plugin:<plugin id>`. */
export type Author = `person:${string}` | `plugin:${string}`

/** A record as the API gives it. */
export interface StoredRecord extends CollectionRecord {
  readonly createdBy: Author
  readonly updatedBy: Author
}

/** A row of a record table; fields by their columns. */
export interface RecordRow {
  seq: number
  id: string
  version: number
  created_at: number
  created_by: Author
  updated_at: number
  updated_by: Author
  [column: string]: unknown
}

const SYSTEM_COLUMNS = [
  'seq',
  'id',
  'version',
  'created_at',
  'created_by',
  'updated_at',
  'updated_by',
] as const

/**
 * Columns to read for these fields. A customer is read as who it is today: whoever became part of another is that
 * other, and separate again once they are separated.
 */
export function recordColumns(
  { table }: Pick<Definition, 'table'>,
  fields: readonly CollectionField[],
): AliasedRawBuilder<unknown, string>[] {
  return [
    ...SYSTEM_COLUMNS.map((column) => sql`${sql.ref(`${table}.${column}`)}`.as(column)),
    ...fields.map(({ column, kind }) => {
      const ref = sql.ref(`${table}.${column}`)
      if (kind !== 'customer') return sql`${ref}`.as(column)
      return sql`coalesce((select i.customer_id from identifiers i where i.id = ${ref}), ${ref})`.as(column)
    }),
  ]
}

export function toRecord(row: RecordRow, fields: readonly CollectionField[]): StoredRecord {
  const data: RecordData = {}
  for (const field of fields) {
    const value = fromColumn(field, row[field.column])
    if (value !== undefined) data[field.name] = value
  }
  return {
    id: row.id,
    data,
    version: Number(row.version),
    createdAt: Number(row.created_at),
    createdBy: row.created_by,
    updatedAt: Number(row.updated_at),
    updatedBy: row.updated_by,
  }
}

/** What to store for a value; null for none. */
export function toColumn({ storage, kind }: CollectionField, value: unknown): unknown {
  if (value === undefined || value === null) return null
  if (storage === 'json') return JSON.stringify(value)
  if (storage === 'boolean') return value === true ? 1 : 0
  if (kind === 'datetime') return toUtc(value)
  return value
}

/** Instants in one spelling, so that they sort as text. */
export function toUtc(value: unknown): unknown {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(time) ? value : new Date(time).toISOString()
}

function fromColumn({ storage }: CollectionField, value: unknown): unknown {
  if (value === undefined || value === null) return undefined
  if (storage === 'json') return JSON.parse(value as string)
  if (storage === 'boolean') return Number(value) === 1
  return value
}

/** One row by the record's id, in the transaction or outside of it. */
export async function findRow(
  db: Kysely<any>,
  definition: Pick<Definition, 'table' | 'fields'>,
  id: string,
): Promise<RecordRow | undefined> {
  const row = await db
    .selectFrom(definition.table)
    .select(recordColumns(definition, definition.fields))
    .where(`${definition.table}.id`, '=', id)
    .executeTakeFirst()
  return row as RecordRow | undefined
}
