import { type JsonSchema, userError } from '@huitou/plugin-api'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Tx } from '../db/database.ts'
import { engineOf } from '../db/rows.ts'
import { vaultOf } from '../db/sealing.ts'
import { problemsOf } from '../points/json-schema.ts'
import { type FieldDeclaration, fieldsOf, propertiesOf, type StoredDeclaration } from './declaration.ts'
import { type Definition, toDefinition } from './definition.ts'
import { eachRecord } from './find.ts'
import {
  addRecordColumn,
  type ColumnLayout,
  type Layout,
  type Storage,
  storageOf,
  syncIndexes,
} from './layout.ts'
import { compileProperties, compileRecordSchema } from './record-schema.ts'
import { toColumn } from './record.ts'
import { searchTable } from './search-index.ts'
import type { CollectionTables } from './tables.ts'
import { addToSearch, termsOf, vector } from './write.ts'

type Row = CollectionTables['collections']

/**
 * Brings a collection's table from what is stored to `next`, in the transaction of an upgrade. Columns are added and
 * retired, never dropped, so that taking the upgrade back finds everything. What the records there are do not fit
 * is refused with `E_COLLECTION_INCOMPATIBLE`, which says how many and why.
 */
export async function changeRecordTable(tx: Tx, row: Row, next: StoredDeclaration): Promise<Layout> {
  const before = toDefinition(row)
  const db = tx as unknown as Kysely<any>
  const { layout, fresh } = await alignColumns(db, before, next)
  layout.indexes = await syncIndexes(db, row.table_name, { declaration: next, layout })
  const after = toDefinition({ ...row, declaration: JSON.stringify(next), layout: JSON.stringify(layout) })
  await fillDefaults(db, after, fresh)
  await checkRequired(db, after)
  await checkFits(db, before, after)
  if (next.searchable.join(' ') !== before.layout.searchable.join(' ')) await rebuildSearch(tx, after)
  layout.searchable = next.searchable
  return layout
}

/** Refusal that names the collection, the property and how many records stand in the way. */
export function incompatible(
  id: string,
  property: string,
  { reason, records, example }: { reason: string; records?: number; example?: string },
) {
  const count = records === undefined ? '' : ` (${records} records)`
  return userError(
    'E_COLLECTION_INCOMPATIBLE',
    `Collection "${id}", property "${property}": ${reason}${count}`,
    {
      status: 409,
      details: {
        collection: id,
        property,
        reason,
        ...(records === undefined ? {} : { records }),
        ...(example ? { example } : {}),
      },
      hint: 'Nothing was changed. Stay on the present version and tell the author of the plugin.',
    },
  )
}

/** Gives every field of `next` a column: its own, the one it had once, that of its old name, or a new one. */
async function alignColumns(
  db: Kysely<any>,
  { id, table, layout: present }: Definition,
  next: StoredDeclaration,
): Promise<{ layout: Layout; fresh: ColumnLayout[] }> {
  const properties = propertiesOf(next.schema)
  const layout: Layout = { ...present, columns: [], retired: [...present.retired] }
  const left = new Map(present.columns.map((column) => [column.name, column]))
  const fresh: ColumnLayout[] = []
  for (const field of fieldsOf(next)) {
    const storage = storageOf(field.kind)
    const renamedFrom = properties[field.name]?.['renamedFrom']
    const source = [
      field.name,
      typeof renamedFrom === 'string' && !(renamedFrom in properties) ? renamedFrom : field.name,
    ]
      .map((name) => left.get(name))
      .find((column) => column !== undefined)
    if (source) left.delete(source.name)
    if (source && source.storage === storage) {
      layout.columns.push({ ...source, name: field.name })
      continue
    }
    if (source) layout.retired.push(source)
    const column = await replacement(db, { id, table, layout }, { field, storage, source, left })
    layout.columns.push(column)
    if (!source) fresh.push(column)
  }
  layout.retired.push(...left.values())
  return { layout, fresh }
}

/** A column for a field that has none of its storage: one that was retired, or a new one that takes what fits. */
async function replacement(
  db: Kysely<any>,
  { id, table, layout }: { id: string; table: string; layout: Layout },
  {
    field,
    storage,
    source,
    left,
  }: {
    field: FieldDeclaration
    storage: Storage
    source: ColumnLayout | undefined
    left: Map<string, ColumnLayout>
  },
): Promise<ColumnLayout> {
  const at = source
    ? -1
    : layout.retired.findIndex((column) => column.name === field.name && column.storage === storage)
  if (at >= 0) return layout.retired.splice(at, 1)[0] as ColumnLayout
  if (source) {
    const isWidened = source.storage === 'integer' && storage === 'real'
    const fraction = source.storage === 'real' && storage === 'integer'
    const test = isWidened
      ? sql`1 = 0`
      : fraction
        ? sql`${sql.ref(source.column)} <> round(${sql.ref(source.column)})`
        : sql`${sql.ref(source.column)} is not null`
    const records = await countWhere(db, table, test)
    if (records > 0)
      throw incompatible(id, field.name, {
        reason: `it was ${source.storage} and would be ${storage}`,
        records,
      })
  }
  const taken = { ...layout, retired: [...layout.retired, ...left.values()] }
  const column = await addRecordColumn(db, table, { name: field.name, storage, layout: taken })
  if (source)
    await sql`update ${sql.table(table)} set ${sql.ref(column.column)} = ${sql.ref(source.column)} where ${sql.ref(source.column)} is not null`.execute(
      db,
    )
  return column
}

/** A new property that has a default has it in every record. */
async function fillDefaults(
  db: Kysely<any>,
  { table, declaration, byName }: Definition,
  fresh: readonly ColumnLayout[],
): Promise<void> {
  const properties = propertiesOf(declaration.schema)
  for (const { name, column } of fresh) {
    const value = properties[name]?.['default']
    const field = byName.get(name)
    if (value === undefined || !field) continue
    await sql`update ${sql.table(table)} set ${sql.ref(column)} = ${toColumn(field, value)} where ${sql.ref(column)} is null`.execute(
      db,
    )
  }
}

/** A property that must be there needs a default for the records that lack it. */
async function checkRequired(db: Kysely<any>, { id, table, declaration, fields }: Definition): Promise<void> {
  const properties = propertiesOf(declaration.schema)
  for (const field of fields.filter(({ required }) => required)) {
    const records = await countWhere(db, table, sql`${sql.ref(field.column)} is null`)
    if (records === 0) continue
    const value = properties[field.name]?.['default']
    if (value === undefined)
      throw incompatible(id, field.name, { reason: 'it becomes required and has no default', records })
    await sql`update ${sql.table(table)} set ${sql.ref(field.column)} = ${toColumn(field, value)} where ${sql.ref(field.column)} is null`.execute(
      db,
    )
  }
}

/** Where the rules for values changed, the records there are must keep them. */
async function checkFits(db: Kysely<any>, before: Definition, after: Definition): Promise<void> {
  const old = propertiesOf(before.declaration.schema)
  const now = propertiesOf(after.declaration.schema)
  const changed = after.fields
    .map(({ name }) => name)
    .filter((name) => rulesOf(now[name]) !== rulesOf(old[name]) && before.byName.has(name))
  const wholeChanged = topRules(before.declaration.schema) !== topRules(after.declaration.schema)
  if (changed.length === 0 && !wholeChanged) return
  const validate = wholeChanged
    ? compileRecordSchema(after.declaration)
    : compileProperties(after.declaration, changed)
  let records = 0
  let first: { field: string; message: string; example: string } | undefined
  for await (const page of eachRecord(db, after, wholeChanged ? {} : { fields: changed })) {
    for (const { id, data } of page) {
      if (validate(data)) continue
      records++
      const [problem] = problemsOf(validate.errors)
      first ??= { field: problem?.field ?? '', message: problem?.message ?? 'does not fit', example: id }
    }
  }
  if (first)
    throw incompatible(after.id, first.field || 'record', {
      reason: first.message,
      records,
      example: first.example,
    })
}

/** Words of a schema that say nothing about which values fit. */
const SILENT = new Set([
  'title',
  'description',
  'default',
  'examples',
  'order',
  'color',
  'renamedFrom',
  'enumTitles',
  '$comment',
])

function rulesOf(schema: unknown): string {
  return (
    JSON.stringify(schema, (key, value: unknown) => (SILENT.has(key) && key !== '' ? undefined : value)) ?? ''
  )
}

function topRules(schema: JsonSchema): string {
  const { properties: _, required: __, ...rules } = schema
  return rulesOf(rules)
}

async function rebuildSearch(tx: Tx, definition: Definition): Promise<void> {
  const db = tx as unknown as Kysely<any>
  const { table } = definition
  const isPostgres = engineOf(tx) === 'postgres'
  if (!isPostgres) await sql`delete from ${sql.table(searchTable(table))}`.execute(tx)
  for await (const page of eachRecord(db, definition, { fields: definition.declaration.searchable })) {
    const numbers = new Map(
      (
        (await db
          .selectFrom(table)
          .select(['id', 'seq'])
          .where(
            'id',
            'in',
            page.map(({ id }) => id),
          )
          .execute()) as {
          id: string
          seq: number
        }[]
      ).map(({ id, seq }) => [id, seq]),
    )
    for (const record of page) {
      const terms = termsOf(definition, record, vaultOf(tx))
      if (isPostgres)
        await db
          .updateTable(table)
          .set({ search: vector(terms) })
          .where('id', '=', record.id)
          .execute()
      else await addToSearch(tx, definition, Number(numbers.get(record.id)), terms)
    }
  }
}

async function countWhere(db: Kysely<any>, table: string, test: RawBuilder<unknown>): Promise<number> {
  const { rows } = await sql<{
    count: number
  }>`select count(*) as count from ${sql.table(table)} where ${test}`.execute(db)
  return Number(rows[0]?.count ?? 0)
}
