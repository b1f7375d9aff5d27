import fc from 'fast-check'

/** A JSON schema as the API's description has it, as far as it matters here. */
export interface Schema {
  type?: string | string[]
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  enum?: unknown[]
  const?: unknown
  anyOf?: Schema[]
  oneOf?: Schema[]
  allOf?: Schema[]
  additionalProperties?: boolean | Schema
  minimum?: number
  maximum?: number
  format?: string
  $ref?: string
}

/** Text that has broken programs before. */
const TEXTS = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\u{1F600}\u{1F468}\u200D\u{1F469}\u200D\u{1F467}',
  '\ud800',
  '\u202Ereversed',
  '林夏',
  "'; drop table customers; --",
  '" or 1=1',
  '%',
  '_%',
  '../../../../etc/passwd',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '{{ 7 | times: 7 }}',
  '{% for i in (1..100000000) %}x{% endfor %}',
  '${7*7}',
  '<script>alert(1)</script>',
  'NaN',
  'null',
  '-1',
  '1e309',
  '9223372036854775808',
  '99999999999999999999999999',
  '2026-02-30',
  'x'.repeat(300),
  '汉'.repeat(5_000),
]

const NUMBERS = [0, -0, -1, 1.5, 2 ** 31, 2 ** 53, -(2 ** 53), 2 ** 63, 1e308, 1e-308, 4_102_444_800_000]

const hostileText = fc.oneof(fc.constantFrom(...TEXTS), fc.string({ unit: 'binary', maxLength: 30 }))
const hostileNumber = fc.oneof(fc.constantFrom(...NUMBERS), fc.integer(), fc.double({ noNaN: true }))

const nested = (depth: number): unknown => (depth === 0 ? [] : { all: [nested(depth - 1)] })

/** Any JSON, with a liking for what is seldom tried. */
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  hostileText,
  hostileNumber,
  fc.constantFrom(null, true, false, [], {}, [[]], nested(40), nested(80)),
  fc.array(hostileText, { maxLength: 4 }),
  fc.dictionary(hostileText, fc.oneof(hostileText, hostileNumber, fc.constant(null)), { maxKeys: 4 }),
  fc.constant(JSON.parse('{"__proto__":{"role":"owner"},"constructor":{"prototype":{}}}') as unknown),
)

/** What goes into a place of an address. `known` are ids of things that are there. */
export function hostileSegment(known: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('1', ...known) },
    // Without anything in it another route would be asked.
    { weight: 2, arbitrary: hostileText.map((text) => text.slice(0, 400)).filter((text) => text !== '') },
    hostileNumber.map(String),
  )
}

/** A value that fits a schema, but for a place here and there. */
export function valueLike(schema: Schema | undefined, depth = 0): fc.Arbitrary<unknown> {
  if (!schema || depth > 5) return hostileValue
  return fc.oneof({ weight: 9, arbitrary: fitting(schema, depth) }, { weight: 1, arbitrary: hostileValue })
}

function fitting(schema: Schema, depth: number): fc.Arbitrary<unknown> {
  if ('const' in schema) return fc.constant(schema.const)
  if (schema.enum) return fc.constantFrom(...schema.enum)
  const choices = schema.anyOf ?? schema.oneOf
  if (choices) return fc.oneof(...choices.map((choice) => valueLike(choice, depth + 1)))
  const [type] = [schema.type].flat()
  switch (type) {
    case 'object':
      return objectLike(schema, depth)
    case 'array':
      return fc.array(valueLike(schema.items, depth + 1), { maxLength: 3 })
    case 'integer':
      return fc.oneof(fc.integer({ min: Math.max(schema.minimum ?? 0, -1e6), max: 1e6 }), hostileNumber)
    case 'number':
      return hostileNumber
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'string':
      return fc.oneof(hostileText, fc.constantFrom('a', 't_city', 'order.paid', 'zh-CN', 'en', '2026-01-31'))
    default:
      return hostileValue
  }
}

function objectLike({ properties = {}, required = [], additionalProperties }: Schema, depth: number) {
  const entries = Object.entries(properties).map(
    ([name, inner]) => [name, valueLike(inner, depth + 1)] as const,
  )
  if (entries.length === 0 && additionalProperties) {
    const inner = additionalProperties === true ? undefined : additionalProperties
    return fc.dictionary(hostileText, valueLike(inner, depth + 1), { maxKeys: 3 })
  }
  const known = new Set(entries.map(([name]) => name))
  return fc.record(Object.fromEntries(entries), { requiredKeys: required.filter((name) => known.has(name)) })
}
