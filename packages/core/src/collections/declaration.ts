import { type CollectionContribution, type JsonSchema, type Role, userError } from '@huitou/plugin-api'
import type { Text } from '../points/points.ts'

/** What a value of a field is, for storage, filters and pages. */
export type FieldKind =
  | 'text'
  | 'choice'
  | 'integer'
  | 'number'
  | 'boolean'
  | 'date'
  | 'datetime'
  | 'time'
  | 'money'
  | 'customer'
  | 'record'
  | 'json'

export interface FieldChoice {
  value: string | number
  title: Text
  color: string | null
}

export interface FieldDeclaration {
  name: string
  kind: FieldKind
  title: Text
  description: Text | null
  required: boolean
  choices: FieldChoice[] | null
  /** Collection that a `record` names. */
  target: string | null
}

/** A declaration of a manifest; its texts may be in every language already. */
export interface CollectionDeclaration extends Omit<CollectionContribution, 'title' | 'description'> {
  title: string | Text
  description?: string | Text
}

/** A declaration as it is stored: full ids, and nothing left out that has a default. */
export interface StoredDeclaration {
  title: Text
  description: Text | null
  schema: JsonSchema
  titleField: string | null
  searchable: string[]
  indexes: string[][]
  references: Record<string, string>
  permissions: { read: Role[] | null; write: Role[] }
  views: string[]
  hooks: ('validate' | 'afterChange')[]
}

export const PROPERTY_LIMIT = 200
const SCHEMA_BYTES = 65_536
const INDEX_LIMIT = 12
const WRITERS: Role[] = ['operator', 'agent']

/** Names that records have beside their fields, as filters and sorts know them. */
export const SYSTEM_FIELDS = ['id', 'version', 'createdAt', 'createdBy', 'updatedAt', 'updatedBy'] as const

/** Checks a declaration and completes it. `E_COLLECTION_DECLARATION` names what cannot be stored and why. */
export function readDeclaration(plugin: string, declared: CollectionDeclaration): StoredDeclaration {
  const refuse = (reason: string) =>
    userError('E_COLLECTION_DECLARATION', `Collection "${plugin}/${declared.id}": ${reason}`, {
      details: { plugin, collection: `${plugin}/${declared.id}`, reason },
      hint: 'This is a fault of the plugin; tell its author.',
    })
  const { schema } = declared
  if (schema['type'] !== 'object' || typeof schema['properties'] !== 'object')
    throw refuse('its schema must be of type "object" with properties')
  if (JSON.stringify(schema).length > SCHEMA_BYTES) throw refuse('its schema is larger than 64 KB')
  const names = Object.keys(propertiesOf(schema))
  if (names.length === 0 || names.length > PROPERTY_LIMIT)
    throw refuse(`it has ${names.length} properties, 1 to ${PROPERTY_LIMIT} are possible`)
  const bad = names.find((name) => !/^[a-z][a-z0-9_]{0,39}$/i.test(name))
  if (bad !== undefined)
    throw refuse(`property "${bad}" must begin with a letter and hold letters, digits and _ only, 40 at most`)
  if (new Set(names.map((name) => name.toLowerCase())).size < names.length)
    throw refuse('two properties differ only in upper and lower case')
  const mentioned = [
    ...(declared.titleField ? [declared.titleField] : []),
    ...(declared.searchable ?? []),
    ...(declared.indexes ?? []).flat(),
    ...Object.keys(declared.references ?? {}),
    ...((schema['required'] ?? []) as string[]),
  ]
  const unknown = mentioned.find((name) => !names.includes(name))
  if (unknown !== undefined) throw refuse(`"${unknown}" is not one of its properties`)
  if ((declared.indexes ?? []).length > INDEX_LIMIT) throw refuse(`more than ${INDEX_LIMIT} indexes`)
  const full = (target: string) =>
    target === 'customer' || target.includes('/') ? target : `${plugin}/${target}`
  const stored: StoredDeclaration = {
    title: textOf(declared.title) ?? { en: declared.id, 'zh-CN': declared.id },
    description: textOf(declared.description) ?? null,
    schema: translated(schema) as JsonSchema,
    titleField: declared.titleField ?? null,
    searchable: declared.searchable ?? [],
    indexes: declared.indexes ?? [],
    references: Object.fromEntries(
      Object.entries(declared.references ?? {}).map(([field, target]) => [field, full(target)]),
    ),
    permissions: {
      read: declared.permissions?.read ?? null,
      write: declared.permissions?.write ?? WRITERS,
    },
    views: declared.views ?? [],
    hooks: declared.hooks ?? [],
  }
  const structured = fieldsOf(stored)
    .filter(({ kind }) => kind === 'json')
    .map(({ name }) => name)
  const unsorted = stored.indexes.flat().find((name) => structured.includes(name))
  if (unsorted !== undefined) throw refuse(`"${unsorted}" is a list or an object, which no index can hold`)
  return stored
}

/** Fields in the order of their `order`, those without one last and as they stand. */
export function fieldsOf({
  schema,
  references,
}: Pick<StoredDeclaration, 'schema' | 'references'>): FieldDeclaration[] {
  const required = new Set((schema['required'] ?? []) as string[])
  const orderOf = (property: JsonSchema) =>
    typeof property['order'] === 'number' ? property['order'] : Number.MAX_SAFE_INTEGER
  return Object.entries(propertiesOf(schema))
    .toSorted(([, a], [, b]) => orderOf(a) - orderOf(b))
    .map(([name, property]) => {
      const target = references[name]
      const choices = choicesOf(property)
      return {
        name,
        kind:
          target === undefined ? kindOf(property, choices) : target === 'customer' ? 'customer' : 'record',
        title: textOf(property['title']) ?? { en: name, 'zh-CN': name },
        description: textOf(property['description']) ?? null,
        required: required.has(name),
        choices,
        target: target === undefined || target === 'customer' ? null : target,
      }
    })
}

export function propertiesOf(schema: JsonSchema): Record<string, JsonSchema> {
  return (schema['properties'] ?? {}) as Record<string, JsonSchema>
}

function kindOf(schema: JsonSchema, choices: FieldChoice[] | null): FieldKind {
  const type = typeOf(schema)
  if (choices?.every(({ value }) => typeof value === 'string') && (type ?? 'string') === 'string')
    return 'choice'
  if (type === 'string') {
    if (schema['format'] === 'date') return 'date'
    return schema['format'] === 'date-time' ? 'datetime' : 'text'
  }
  if (type === 'integer') {
    if (schema['format'] === 'money') return 'money'
    return schema['format'] === 'time' ? 'time' : 'integer'
  }
  return type === 'number' || type === 'boolean' ? type : 'json'
}

/** The one type of a value that may also be null; undefined when it may be several things. */
function typeOf({ type }: JsonSchema): string | undefined {
  if (!Array.isArray(type)) return type as string | undefined
  const others = type.filter((one) => one !== 'null')
  return others.length === 1 ? (others[0] as string) : undefined
}

function choicesOf(schema: JsonSchema): FieldChoice[] | null {
  const variants = schema['oneOf'] as { const?: unknown; title?: unknown; color?: unknown }[] | undefined
  if (variants?.length && variants.every(({ const: value }) => isChoice(value))) {
    return variants.map(({ const: value, title, color }) => ({
      value: value as string | number,
      title: textOf(title) ?? { en: String(value), 'zh-CN': String(value) },
      color: typeof color === 'string' ? color : null,
    }))
  }
  const values = schema['enum'] as unknown[] | undefined
  if (!values?.length || !values.every((value) => isChoice(value))) return null
  return (values as (string | number)[]).map((value) => ({
    value,
    title: { en: String(value), 'zh-CN': String(value) },
    color: null,
  }))
}

function isChoice(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number'
}

function textOf(text: unknown): Text | undefined {
  if (typeof text === 'string') return { en: text, 'zh-CN': text }
  return typeof text === 'object' && text !== null && 'en' in text ? (text as Text) : undefined
}

/** A schema whose titles and descriptions are in every language. */
function translated(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(translated)
  if (typeof schema !== 'object' || schema === null) return schema
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [
      key,
      (key === 'title' || key === 'description') && typeof value === 'string'
        ? textOf(value)
        : translated(value),
    ]),
  )
}
