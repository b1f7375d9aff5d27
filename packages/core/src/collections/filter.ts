import { type FieldFilter, userError } from '@huitou/plugin-api'
import { type Kysely, type RawBuilder, type SqlBool, sql } from 'kysely'
import { z } from 'zod'
import type { Engine } from '../db/database.ts'
import { engineOf } from '../db/rows.ts'
import { vaultOf } from '../db/sealing.ts'
import { sameText } from '../people/sealed-conditions.ts'
import type { Vault } from '../people/vault.ts'
import type { CollectionField, Definition } from './definition.ts'
import type { Storage } from './layout.ts'
import { toUtc } from './record.ts'
import { isSealedField } from './sealed-fields.ts'

const OPERATORS = [
  'is',
  'is_not',
  'in',
  'not_in',
  'contains',
  'not_contains',
  'starts_with',
  'gt',
  'gte',
  'lt',
  'lte',
  'between',
  'is_set',
  'is_not_set',
] as const
export type FilterOperator = (typeof OPERATORS)[number]

type Scalar = string | number | boolean

/** Which records: a sentence about a field, or sentences of which all, any or none hold. */
export type Filter =
  | { all: Filter[] }
  | { any: Filter[] }
  | { not: Filter }
  | { field: string; op: FilterOperator; value?: Scalar | Scalar[] | null | undefined }

const DEPTH = 8
const SENTENCES = 200
const scalar = z.union([z.string().max(1_000), z.number(), z.boolean()])

const node: z.ZodType<Filter> = z.lazy(() =>
  z.union([
    z.strictObject({ all: z.array(node).max(SENTENCES) }),
    z.strictObject({ any: z.array(node).max(SENTENCES) }),
    z.strictObject({ not: node }),
    z.strictObject({
      field: z.string().max(64),
      op: z.enum(OPERATORS),
      value: z.union([scalar, z.array(scalar).max(1_000), z.null()]).optional(),
    }),
  ]),
)

/** Reads a filter that came from outside. `E_FILTER` says where it is wrong. */
export function parseFilter(given: unknown): Filter {
  const parsed = node.safeParse(given)
  if (!parsed.success) throw filterError(parsed.error.issues[0]?.message ?? 'is not one')
  let sentences = 0
  const walk = (filter: Filter, depth: number): void => {
    if (depth > DEPTH || ++sentences > SENTENCES) throw filterError('it is too deep or too long')
    if ('all' in filter) filter.all.forEach((each) => walk(each, depth + 1))
    else if ('any' in filter) filter.any.forEach((each) => walk(each, depth + 1))
    else if ('not' in filter) walk(filter.not, depth + 1)
  }
  walk(parsed.data, 0)
  return parsed.data
}

/** The plain form in which plugins ask, as a filter. */
export function filterOfWhere(where: Record<string, FieldFilter>): Filter {
  const sentences = Object.entries(where).flatMap(([field, wanted]): Filter[] => {
    if (wanted === null) return [{ field, op: 'is_not_set' }]
    if (typeof wanted !== 'object') return [{ field, op: 'is', value: wanted }]
    const { not, in: among, contains, ...comparisons } = wanted
    const found: Filter[] = Object.entries(comparisons).map(([op, value]) => ({
      field,
      op: op as 'gt',
      value,
    }))
    if (not === null) found.push({ field, op: 'is_set' })
    else if (not !== undefined) found.push({ field, op: 'is_not', value: not })
    if (among !== undefined) found.push({ field, op: 'in', value: among })
    if (contains !== undefined) found.push({ field, op: 'contains', value: contains })
    return found
  })
  return parseFilter({ all: sentences })
}

/** What a filter or a sort can name: a field, or what every record has. */
export interface Target {
  ref: string
  storage: Storage
  kind: CollectionField['kind']
  nullable: boolean
  /** The property of the schema; absent for what every record has. */
  field?: CollectionField
}

const SYSTEM_TARGETS: Record<string, Omit<Target, 'nullable'>> = {
  id: { ref: 'id', storage: 'text', kind: 'text' },
  version: { ref: 'version', storage: 'integer', kind: 'integer' },
  createdAt: { ref: 'created_at', storage: 'integer', kind: 'time' },
  createdBy: { ref: 'created_by', storage: 'text', kind: 'text' },
  updatedAt: { ref: 'updated_at', storage: 'integer', kind: 'time' },
  updatedBy: { ref: 'updated_by', storage: 'text', kind: 'text' },
}

/** `E_FIELD` when the collection has no such field; names what it has. */
export function getTarget({ id, table, byName }: Definition, name: string): Target {
  const field = byName.get(name)
  if (field) {
    const { column, storage, kind } = field
    return { ref: `${table}.${column}`, storage, kind, nullable: true, field }
  }
  const system = Object.hasOwn(SYSTEM_TARGETS, name) ? SYSTEM_TARGETS[name] : undefined
  if (system) return { ...system, ref: `${table}.${system.ref}`, nullable: false }
  throw userError('E_FIELD', `"${id}" has no field "${name}"`, {
    details: { collection: id, field: name, fields: [...byName.keys()] },
    hint: `It has ${[...byName.keys()].join(', ')}.`,
  })
}

/** The filter as a condition on the definition's table. */
export function compileFilter(db: Kysely<any>, definition: Definition, filter: Filter): RawBuilder<SqlBool> {
  const all = (filters: Filter[], word: 'and' | 'or') => {
    if (filters.length === 0) return word === 'and' ? sql<SqlBool>`1 = 1` : sql<SqlBool>`1 = 0`
    const parts = filters.map((each) => compileFilter(db, definition, each))
    return sql<SqlBool>`(${sql.join(parts, sql.raw(` ${word} `))})`
  }
  if ('all' in filter) return all(filter.all, 'and')
  if ('any' in filter) return all(filter.any, 'or')
  // A blank field makes a sentence neither true nor false; what is not true is what "not" asks for.
  if ('not' in filter)
    return sql<SqlBool>`(case when ${compileFilter(db, definition, filter.not)} then 0 else 1 end) = 1`
  const target = getTarget(definition, filter.field)
  checkSealed(vaultOf(db), target, filter.op)
  return compileSentence(db, target, filter)
}

const SEALED_OPERATORS = new Set<string>(['is', 'is_not', 'in', 'not_in', 'is_set', 'is_not_set'])

/** Throws when the database cannot know the answer, because it knows the field's values sealed only. */
export function checkSealed(vault: Vault, { field }: Target, operator: string): void {
  if (!field || !isSealedField(vault, field) || SEALED_OPERATORS.has(operator)) return
  throw userError(
    'E_SEALED',
    `"${field.name}" is sealed in the database: "${operator}" cannot be asked of it`,
    {
      hint: 'Compare whole values (is, in), or search for the whole value or a phone’s last four digits.',
      details: { name: field.name },
    },
  )
}

type Sentence = Extract<Filter, { field: string }>

function compileSentence(
  db: Kysely<any>,
  target: Target,
  { field, op, value }: Sentence,
): RawBuilder<SqlBool> {
  const engine = engineOf(db)
  const ref = sql.ref(target.ref)
  const isText = target.storage === 'text' && target.kind === 'text'
  if (op === 'is_set') return sql<SqlBool>`${ref} is not null`
  if (op === 'is_not_set') return sql<SqlBool>`${ref} is null`
  if (target.storage === 'json') return compileList(engine, ref, { field, op, value })
  const one = () => toValue(target, field, value)
  const many = () => {
    if (!Array.isArray(value)) throw filterError(`"${field}" ${op} takes a list of values`)
    return value.map((each) => toValue(target, field, each))
  }
  switch (op) {
    case 'is':
      if (isText) return sameText(vaultOf(db), ref, [String(one())])
      return target.kind === 'customer' ? isCustomer(ref, [one()]) : sql<SqlBool>`${ref} = ${one()}`
    case 'in': {
      const values = many()
      if (values.length === 0) return sql<SqlBool>`1 = 0`
      if (isText) return sameText(vaultOf(db), ref, values.map(String))
      return target.kind === 'customer'
        ? isCustomer(ref, values)
        : sql<SqlBool>`${ref} in (${sql.join(values)})`
    }
    case 'is_not':
      return negated(ref, compileSentence(db, target, { field, op: 'is', value }))
    case 'not_in':
      return negated(ref, compileSentence(db, target, { field, op: 'in', value }))
    case 'not_contains':
      return negated(ref, compileSentence(db, target, { field, op: 'contains', value }))
    case 'contains':
      return sql<SqlBool>`lower(${ref}) like ${`%${pattern(target, field, value)}%`} escape '\\'`
    case 'starts_with':
      return sql<SqlBool>`lower(${ref}) like ${`${pattern(target, field, value)}%`} escape '\\'`
    case 'between': {
      const [from, to] = many()
      if (from === undefined || to === undefined) throw filterError(`"${field}" between takes two values`)
      return sql<SqlBool>`(${ref} >= ${from} and ${ref} <= ${to})`
    }
    default:
      return sql<SqlBool>`${ref} ${sql.raw(COMPARISONS[op])} ${one()}`
  }
}

const COMPARISONS = { gt: '>', gte: '>=', lt: '<', lte: '<=' } as const

/** Of lists only what is in them can be asked. */
function compileList(
  engine: Engine,
  ref: RawBuilder<unknown>,
  { field, op, value }: Sentence,
): RawBuilder<SqlBool> {
  if (op === 'not_contains') return negated(ref, compileList(engine, ref, { field, op: 'contains', value }))
  if (op !== 'contains' || value === null || value === undefined || Array.isArray(value))
    throw filterError(`"${field}" holds lists or objects; ask contains, is_set or is_not_set`)
  const text =
    typeof value === 'boolean' ? (engine === 'sqlite' ? String(Number(value)) : String(value)) : String(value)
  return engine === 'postgres'
    ? sql<SqlBool>`(json_typeof(${ref}) = 'array' and exists (select 1 from json_array_elements_text(case when json_typeof(${ref}) = 'array' then ${ref} else '[]'::json end) e(value) where e.value = ${text}))`
    : sql<SqlBool>`(json_type(${ref}) = 'array' and exists (select 1 from json_each(${ref}) e where cast(e.value as text) = ${text}))`
}

/** A customer under whatever id somebody still knows: the record may hold the id of who became part of another. */
function isCustomer(ref: RawBuilder<unknown>, ids: unknown[]): RawBuilder<SqlBool> {
  return sql<SqlBool>`${ref} in (select own.id from identifiers own where own.customer_id in (select now.customer_id from identifiers now where now.id in (${sql.join(ids)})))`
}

/** Blank is not that value either. */
function negated(ref: RawBuilder<unknown>, condition: RawBuilder<SqlBool>): RawBuilder<SqlBool> {
  return sql<SqlBool>`(${ref} is null or not ${condition})`
}

function toValue({ storage, kind }: Target, field: string, value: unknown): string | number {
  if (storage === 'text' || storage === 'record') {
    if (typeof value !== 'string') throw filterError(`"${field}" is compared with text`)
    return kind === 'datetime' ? (toUtc(value) as string) : value
  }
  if (storage === 'boolean') {
    if (typeof value !== 'boolean') throw filterError(`"${field}" is true or false`)
    return value ? 1 : 0
  }
  const whole = storage !== 'real'
  if (typeof value !== 'number' || !Number.isFinite(value) || (whole && !Number.isSafeInteger(value)))
    throw filterError(`"${field}" is compared with a ${whole ? 'whole ' : ''}number`)
  return value
}

function pattern({ storage }: Target, field: string, value: unknown): string {
  if (storage !== 'text' || typeof value !== 'string')
    throw filterError(`"${field}" holds no text to look into`)
  // ASCII letters only, as both engines do.
  return value
    .replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
    .replaceAll(/[\\%_]/g, (found) => `\\${found}`)
}

function filterError(reason: string) {
  return userError('E_FILTER', `The filter cannot be read: ${reason}`, {
    details: { reason },
    hint: 'A filter is { all | any: [ … ] }, { not: … } or { field, op, value }.',
  })
}
