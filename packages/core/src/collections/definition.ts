import { notFound } from '@huitou/plugin-api'
import type { ValidateFunction } from 'ajv/dist/2020.js'
import type { Db, Tx } from '../db/database.ts'
import { type FieldDeclaration, fieldsOf, type StoredDeclaration } from './declaration.ts'
import type { ColumnLayout, Layout, Storage } from './layout.ts'
import { compileRecordSchema } from './record-schema.ts'
import type { CollectionTables } from './tables.ts'

export interface CollectionField extends FieldDeclaration {
  column: string
  storage: Storage
}

/** A collection as it is stored, ready to work with. */
export interface Definition {
  /** `publisher.name/id` */
  id: string
  plugin: string
  table: string
  declaration: StoredDeclaration
  layout: Layout
  fields: CollectionField[]
  byName: ReadonlyMap<string, CollectionField>
  validate: ValidateFunction
}

/** Compiling a schema takes milliseconds; the row says whether it is still the same one. */
const compiled = new WeakMap<object, Map<string, { revision: number; definition: Definition }>>()

/** The collection `id` (`publisher.name/id`) of a plugin's version in use. Throws `E_NOT_FOUND`. */
export async function getDefinition(db: Db | Tx, id: string, owner: object): Promise<Definition> {
  const row = await db
    .selectFrom('collections')
    .selectAll()
    .where('id', '=', id)
    .where('active', '=', 1)
    .executeTakeFirst()
  if (!row) throw notFound('Collection', id)
  let known = compiled.get(owner)
  if (!known) compiled.set(owner, (known = new Map()))
  const found = known.get(id)
  if (found?.revision === row.revision) return found.definition
  const definition = toDefinition(row)
  known.set(id, { revision: row.revision, definition })
  return definition
}

export function toDefinition(row: CollectionTables['collections']): Definition {
  const declaration = JSON.parse(row.declaration) as StoredDeclaration
  const layout = JSON.parse(row.layout) as Layout
  const columns = new Map(layout.columns.map((column) => [column.name, column]))
  const fields = fieldsOf(declaration).map((field) => {
    const { column, storage } = columns.get(field.name) as ColumnLayout
    return { ...field, column, storage }
  })
  return {
    id: row.id,
    plugin: row.plugin,
    table: row.table_name,
    declaration,
    layout,
    fields,
    byName: new Map(fields.map((field) => [field.name, field])),
    validate: compileRecordSchema(declaration),
  }
}
