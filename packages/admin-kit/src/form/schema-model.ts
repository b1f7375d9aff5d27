import type { MaybeLocalized } from '../composables/use-localized.ts'

/**
 * JSON Schema 2020-12 as plain data, with texts in both languages and the words `order`, `secret`, `enumTitles`, and
 * `reference`: `customer`, or the id of the collection whose record the value names.
 */
export type FormSchema = { readonly [keyword: string]: unknown }

export interface FormChoice {
  value: string | number | boolean
  title: MaybeLocalized
}

/** One property of a schema as a form draws it. */
export interface FormField {
  key: string
  kind:
    | 'text'
    | 'longtext'
    | 'date'
    | 'datetime'
    | 'time'
    | 'money'
    | 'reference'
    | 'secret'
    | 'number'
    | 'integer'
    | 'boolean'
    | 'choice'
    | 'list'
    | 'group'
    | 'json'
  title: MaybeLocalized
  description: MaybeLocalized
  required: boolean
  default: unknown
  choices: FormChoice[]
  /** Fields of a group. */
  fields: FormField[]
  schema: FormSchema
}

/** What is wrong with a value, as a message key below `kit.form` and its numbers. */
export interface FormFault {
  key: string
  limit?: number
}

/** Fields of an object schema by their `order`, those without one last and as they stand. */
export function formFields(schema: FormSchema): FormField[] {
  const properties = (schema['properties'] ?? {}) as Record<string, FormSchema>
  const required = new Set((schema['required'] ?? []) as string[])
  return Object.entries(properties)
    .map(([key, property]) => toField(key, property, required.has(key)))
    .sort((a, b) => orderOf(a) - orderOf(b))
}

/** Faults by path (`weights.r`) of a value under its schema; empty when it may be sent. */
export function formFaults(
  schema: FormSchema,
  value: Record<string, unknown>,
  path = '',
): Record<string, FormFault> {
  const faults: Record<string, FormFault> = {}
  for (const field of formFields(schema)) {
    const at = path ? `${path}.${field.key}` : field.key
    const own = value[field.key]
    if (field.kind === 'group') {
      Object.assign(faults, formFaults(field.schema, (own ?? {}) as Record<string, unknown>, at))
      continue
    }
    const fault = faultOf(field, own)
    if (fault) faults[at] = fault
  }
  return faults
}

/** What to send: nothing that was never filled, and no secret that was not typed. */
export function toSubmit(schema: FormSchema, value: Record<string, unknown>): Record<string, unknown> {
  const sent: Record<string, unknown> = {}
  for (const field of formFields(schema)) {
    const own = value[field.key]
    if (own === undefined || own === null || own === '') continue
    sent[field.key] = field.kind === 'group' ? toSubmit(field.schema, own as Record<string, unknown>) : own
  }
  return sent
}

/** A typed text as an entry of a list, or undefined when it is none. */
export function toListEntry(schema: FormSchema, text: string): string | number | undefined {
  const trimmed = text.trim()
  if (!trimmed) return undefined
  const { type } = (schema['items'] ?? {}) as { type?: string }
  if (type !== 'number' && type !== 'integer') return trimmed
  const number = Number(trimmed)
  return Number.isFinite(number) ? number : undefined
}

function toField(key: string, schema: FormSchema, required: boolean): FormField {
  const choices = choicesOf(schema)
  return {
    key,
    kind: kindOf(schema, choices),
    title: (schema['title'] as MaybeLocalized) ?? key,
    description: schema['description'] as MaybeLocalized,
    required,
    default: schema['default'],
    choices,
    fields: schema['type'] === 'object' ? formFields(schema) : [],
    schema,
  }
}

function kindOf(schema: FormSchema, choices: FormChoice[]): FormField['kind'] {
  if (schema['secret'] === true) return 'secret'
  if (schema['reference'] !== undefined) return 'reference'
  if (choices.length > 0) return 'choice'
  switch (schema['type']) {
    case 'string':
      if (schema['format'] === 'date') return 'date'
      if (schema['format'] === 'date-time') return 'datetime'
      return isProse(schema) ? 'longtext' : 'text'
    case 'integer':
      if (schema['format'] === 'money') return 'money'
      return schema['format'] === 'time' ? 'time' : 'integer'
    case 'number':
    case 'boolean':
      return schema['type']
    case 'array':
      return isScalar(schema['items'] as FormSchema | undefined) ? 'list' : 'json'
    case 'object':
      return schema['properties'] ? 'group' : 'json'
    default:
      return 'json'
  }
}

function choicesOf(schema: FormSchema): FormChoice[] {
  const variants = schema['oneOf'] as
    | { const?: string | number | boolean; title?: MaybeLocalized }[]
    | undefined
  if (variants?.every((variant) => variant.const !== undefined)) {
    return variants.map((variant) => ({
      value: variant.const!,
      title: variant.title ?? String(variant.const),
    }))
  }
  const titles = (schema['enumTitles'] ?? {}) as Record<string, MaybeLocalized>
  const values = (schema['enum'] ?? []) as FormChoice['value'][]
  return values.map((value, index) => ({
    value,
    title: titles[Array.isArray(titles) ? index : String(value)] ?? String(value),
  }))
}

function faultOf(
  { kind, schema, required, choices, default: preset }: FormField,
  value: unknown,
): FormFault | undefined {
  const empty = value === undefined || value === null || value === ''
  if (empty) return required && preset === undefined && kind !== 'secret' ? { key: 'required' } : undefined
  if (kind === 'choice') return choices.some((choice) => choice.value === value) ? undefined : { key: 'enum' }
  if (kind === 'number' || kind === 'integer' || kind === 'money') return numberFault(schema, value)
  if (kind === 'list') return countFault(schema, value as unknown[])
  if (typeof value === 'string') return textFault(schema, value)
  return undefined
}

function numberFault(schema: FormSchema, value: unknown): FormFault | undefined {
  if (typeof value !== 'number' || Number.isNaN(value)) return { key: 'number' }
  if (schema['type'] === 'integer' && !Number.isInteger(value)) return { key: 'integer' }
  const limit = (name: string) => schema[name] as number | undefined
  const low = limit('minimum')
  const high = limit('maximum')
  if (low !== undefined && value < low) return { key: 'minimum', limit: low }
  if (high !== undefined && value > high) return { key: 'maximum', limit: high }
  const above = limit('exclusiveMinimum')
  const below = limit('exclusiveMaximum')
  if (above !== undefined && value <= above) return { key: 'above', limit: above }
  return below !== undefined && value >= below ? { key: 'below', limit: below } : undefined
}

function textFault(schema: FormSchema, value: string): FormFault | undefined {
  const low = schema['minLength'] as number | undefined
  const high = schema['maxLength'] as number | undefined
  if (low !== undefined && [...value].length < low) return { key: 'minLength', limit: low }
  if (high !== undefined && [...value].length > high) return { key: 'maxLength', limit: high }
  const pattern = schema['pattern'] as string | undefined
  return pattern !== undefined && !new RegExp(pattern, 'u').test(value) ? { key: 'pattern' } : undefined
}

function countFault(schema: FormSchema, value: unknown[]): FormFault | undefined {
  const low = schema['minItems'] as number | undefined
  const high = schema['maxItems'] as number | undefined
  if (low !== undefined && value.length < low) return { key: 'minItems', limit: low }
  if (high !== undefined && value.length > high) return { key: 'maxItems', limit: high }
  const items = (schema['items'] ?? {}) as FormSchema
  if (items['type'] !== 'number' && items['type'] !== 'integer') return undefined
  return value.map((item) => numberFault(items, item)).find(Boolean)
}

/** Room for sentences; an address or a code is one line, however long it may be. */
function isProse({ maxLength, format, pattern }: FormSchema): boolean {
  return Number(maxLength ?? 0) > 200 && format === undefined && pattern === undefined
}

function isScalar(schema: FormSchema | undefined): boolean {
  return schema === undefined || ['string', 'number', 'integer'].includes(String(schema['type'] ?? 'string'))
}

function orderOf(field: FormField): number {
  return typeof field.schema['order'] === 'number' ? field.schema['order'] : Number.MAX_SAFE_INTEGER
}
