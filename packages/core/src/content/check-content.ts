import type { JsonSchema } from '@huitou/plugin-api'
import { compileSchema, problemsOf } from '../points/json-schema.ts'
import { escapingOf, fieldKind } from './fields.ts'
import { compileText, type UsedVariable } from './liquid.ts'

/** Something that keeps a content from being sent, beside the field it stands in. */
export interface ContentMistake {
  field: string
  code: 'liquid' | 'too_long' | 'script' | 'unquoted' | 'unknown_variable' | 'no_event' | 'schema'
  message: string
  /** Which rule of the channel's schema is broken; of `schema`. */
  rule?: string
  line: number
}

export interface UsedInField extends UsedVariable {
  field: string
}

/** What may be named. */
export interface KnownVariables {
  hasColumn(name: string): boolean
  /** Whether there is an event that the message answers. */
  hasEvent: boolean
}

export interface CheckedContent {
  mistakes: ContentMistake[]
  variables: UsedInField[]
}

const ROOTS = ['customer', 'event', 'brand', 'links', 'unsubscribe_url']
/** Roots of an older spelling. */
const ALSO = ['link', 'unsubscribe', 'steps']

/** Everything in a content that is wrong whoever it goes to, and the variables it names. */
export function checkContent(
  content: Readonly<Record<string, unknown>>,
  { schema, known }: { schema?: JsonSchema | undefined; known: KnownVariables },
): CheckedContent {
  const checked: CheckedContent = { mistakes: [], variables: [] }
  for (const [field, value] of Object.entries(content))
    checkValue(value, { field, schema, known, root: field }, checked)
  if (schema) checked.mistakes.push(...schemaMistakes(content, schema))
  return checked
}

interface Place {
  field: string
  /** Top-level field it is part of. */
  root: string
  schema: JsonSchema | undefined
  known: KnownVariables
}

function checkValue(value: unknown, place: Place, checked: CheckedContent): void {
  const { field, root, schema, known } = place
  if (typeof value === 'string') {
    const compiled = compileText(value, escapingOf(fieldKind(schema, root)))
    for (const mistake of compiled.mistakes) checked.mistakes.push({ field, ...mistake })
    for (const variable of compiled.variables) {
      checked.variables.push({ field, ...variable })
      const wrong = variableMistake(variable, known)
      if (wrong) checked.mistakes.push({ field, line: variable.line, ...wrong })
    }
  } else if (Array.isArray(value)) {
    value.forEach((inner, index) => checkValue(inner, { ...place, field: `${field}.${index}` }, checked))
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value))
      checkValue(inner, { ...place, field: `${field}.${key}` }, checked)
  }
}

/** A variable that can never have a value: whoever it goes to would be refused. */
function variableMistake(
  { path, optional }: UsedVariable,
  known: KnownVariables,
): Pick<ContentMistake, 'code' | 'message'> | undefined {
  const [root = '', name] = path.split('.')
  if (optional && ROOTS.includes(root)) return undefined
  if (root === 'customer')
    return name !== undefined && known.hasColumn(name)
      ? undefined
      : { code: 'unknown_variable', message: `{{${path}}}: there is no column "${name ?? ''}"` }
  if (root === 'event')
    return known.hasEvent
      ? undefined
      : { code: 'no_event', message: `{{${path}}}: this journey does not begin with an event` }
  if (ROOTS.includes(root) || ALSO.includes(root)) return undefined
  return {
    code: 'unknown_variable',
    message: `{{${path}}}: there is no "${root}"; use ${ROOTS.join(', ')}`,
  }
}

const compiledSchemas = new WeakMap<JsonSchema, ReturnType<typeof compileSchema>>()
/** Rules that what is filled in later may still meet. */
const LATER = ['format', 'pattern', 'maxLength', 'minLength', 'enum', 'const', 'oneOf', 'type', 'anyOf']

function schemaMistakes(content: Readonly<Record<string, unknown>>, schema: JsonSchema): ContentMistake[] {
  let fits = compiledSchemas.get(schema)
  if (!fits) compiledSchemas.set(schema, (fits = compileSchema(schema)))
  if (fits(content)) return []
  return problemsOf(fits.errors)
    .filter(({ field, rule }) => !(LATER.includes(rule) && isLiquid(valueAt(content, field))))
    .map(({ field, message, rule }) => ({
      field,
      code: 'schema' as const,
      message: rule === 'required' ? 'is missing' : message,
      rule,
      line: 1,
    }))
}

function isLiquid(value: unknown): boolean {
  return typeof value === 'string' && /\{[{%]/.test(value)
}

function valueAt(content: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (value, step) =>
        typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[step] : undefined,
      content,
    )
}
