import { createHash } from 'node:crypto'
import { type Kysely, sql } from 'kysely'
import { autoIncrement } from '../db/columns.ts'
import { engineOf } from '../db/rows.ts'
import { fieldsOf, type FieldKind, type StoredDeclaration } from './declaration.ts'
import { createSearchIndex, searchTable } from './search-index.ts'

/** How a value lies in its column. Two kinds of field with one storage can take each other's place. */
export type Storage = 'text' | 'integer' | 'real' | 'boolean' | 'json' | 'customer' | 'record'

export interface ColumnLayout {
  /** Property of the schema. */
  name: string
  /** Column of the table; another name once a property came back as something else. */
  column: string
  storage: Storage
}

/** The table of a collection as it is. */
export interface Layout {
  columns: ColumnLayout[]
  /** Columns of properties that were declared once: older versions find their data when they come back. */
  retired: ColumnLayout[]
  indexes: { name: string; columns: string[] }[]
  /** Fields that the search index holds, in their order. */
  searchable: string[]
}

const SQL_TYPES: Record<Storage, { sqlite: string; postgres: string }> = {
  // Text sorts and compares by code point on both engines.
  text: { sqlite: 'text', postgres: 'text collate "C"' },
  record: { sqlite: 'text', postgres: 'text collate "C"' },
  integer: { sqlite: 'integer', postgres: 'bigint' },
  customer: { sqlite: 'integer', postgres: 'bigint' },
  boolean: { sqlite: 'integer', postgres: 'integer' },
  real: { sqlite: 'real', postgres: 'double precision' },
  json: { sqlite: 'text', postgres: 'json' },
}

export function storageOf(kind: FieldKind): Storage {
  switch (kind) {
    case 'integer':
    case 'time':
    case 'money':
      return 'integer'
    case 'number':
      return 'real'
    case 'boolean':
    case 'json':
    case 'customer':
    case 'record':
      return kind
    default:
      return 'text'
  }
}

/** Name of a collection's table: readable, and no two collections share one. */
export function tableNameOf(id: string): string {
  const slug = id
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .slice(0, 40)
  return `c_${slug}_${createHash('sha256').update(id).digest('hex').slice(0, 6)}`
}

/** Makes the table of a new collection and returns how it lies. */
export async function createRecordTable(
  db: Kysely<any>,
  table: string,
  declaration: StoredDeclaration,
): Promise<Layout> {
  const columns = fieldsOf(declaration).map(({ name, kind }) => ({
    name,
    column: `p_${name}`,
    storage: storageOf(kind),
  }))
  const isPostgres = engineOf(db) === 'postgres'
  const create = columns.reduce(
    (builder, { column, storage }) => builder.addColumn(column, sqlType(db, storage)),
    db.schema
      .createTable(table)
      .$call(autoIncrement(db, 'seq'))
      .addColumn('id', sqlType(db, 'text'), (column) => column.notNull().unique())
      .addColumn('version', 'integer', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('created_by', 'text', (column) => column.notNull())
      .addColumn('updated_at', 'bigint', (column) => column.notNull())
      .addColumn('updated_by', 'text', (column) => column.notNull())
      .$call((builder) => (isPostgres ? builder.addColumn('search', sql`tsvector`) : builder)),
  )
  await create.execute()
  await createSearchIndex(db, table)
  const layout: Layout = { columns, retired: [], indexes: [], searchable: declaration.searchable }
  return { ...layout, indexes: await syncIndexes(db, table, { declaration, layout }) }
}

/** Adds the column of a field that the table does not have. The column's name is free of what was there before. */
export async function addRecordColumn(
  db: Kysely<any>,
  table: string,
  { name, storage, layout }: { name: string; storage: Storage; layout: Layout },
): Promise<ColumnLayout> {
  const taken = new Set([...layout.columns, ...layout.retired].map(({ column }) => column.toLowerCase()))
  let column = `p_${name}`
  for (let turn = 2; taken.has(column.toLowerCase()); turn++) column = `p_${name}_${turn}`
  await sql`alter table ${sql.table(table)} add column ${sql.ref(column)} ${sqlType(db, storage)}`.execute(db)
  return { name, column, storage }
}

/** Makes the table's indexes those that are declared; references always have one. */
export async function syncIndexes(
  db: Kysely<any>,
  table: string,
  { declaration, layout }: { declaration: StoredDeclaration; layout: Layout },
): Promise<Layout['indexes']> {
  const columnOf = new Map(layout.columns.map(({ name, column }) => [name, column]))
  const declared = [...declaration.indexes, ...Object.keys(declaration.references).map((field) => [field])]
  const wanted = new Map<string, string[]>()
  for (const fields of declared) {
    const columns = fields.map((field) => columnOf.get(field) as string)
    wanted.set(indexName(table, columns), columns)
  }
  for (const { name } of layout.indexes) if (!wanted.has(name)) await db.schema.dropIndex(name).execute()
  const present = new Set(layout.indexes.map(({ name }) => name))
  for (const [name, columns] of wanted) {
    if (present.has(name)) continue
    // Blank values come first on both engines, and the order they were made in decides between equal ones.
    const nulls = engineOf(db) === 'postgres' ? sql` nulls first` : sql``
    const list = sql.join(columns.map((column) => sql`${sql.ref(column)}${nulls}`))
    await sql`create index ${sql.ref(name)} on ${sql.table(table)} (${list}, seq)`.execute(db)
  }
  return [...wanted].map(([name, columns]) => ({ name, columns }))
}

export async function dropRecordTable(db: Kysely<any>, table: string): Promise<void> {
  if (engineOf(db) === 'sqlite') await db.schema.dropTable(searchTable(table)).ifExists().execute()
  await db.schema.dropTable(table).ifExists().execute()
}

function sqlType(db: Kysely<any>, storage: Storage) {
  return sql.raw(SQL_TYPES[storage][engineOf(db)]) as ReturnType<typeof sql<string>>
}

function indexName(table: string, columns: readonly string[]): string {
  return `${table}_${createHash('sha256').update(columns.join(' ')).digest('hex').slice(0, 8)}`
}
