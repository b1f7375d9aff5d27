import type { JsonSchema } from '@huitou/plugin-api'

type Schema = JsonSchema & {
  type?: string | string[]
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  oneOf?: Schema[]
  anyOf?: Schema[]
  allOf?: Schema[]
  [keyword: string]: unknown
}

/** A value that fits a schema of the ordinary kind: its default or first example where it has one. */
export function sampleOf(schema: JsonSchema | undefined, options: { onlyRequired?: boolean } = {}): unknown {
  const { type, ...rest } = (schema ?? {}) as Schema
  if ('default' in rest) return rest['default']
  if (Array.isArray(rest['examples'])) return rest['examples'][0]
  if ('const' in rest) return rest['const']
  if (Array.isArray(rest['enum'])) return rest['enum'][0]
  const [choice] = rest.oneOf ?? rest.anyOf ?? []
  if (choice) return sampleOf(choice, options)
  switch (Array.isArray(type) ? type[0] : type) {
    case 'object':
      return sampleObject(rest, options)
    case 'array':
      return Array.from({ length: Number(rest['minItems'] ?? 1) }, () => sampleOf(rest.items, options))
    case 'integer':
    case 'number':
      return Number(rest['minimum'] ?? Number(rest['exclusiveMinimum'] ?? 0) + 1)
    case 'boolean':
      return true
    case 'string':
      return sampleText(rest)
    default:
      return rest.properties ? sampleObject(rest, options) : null
  }
}

function sampleObject({ properties = {}, required = [] }: Schema, options: { onlyRequired?: boolean }) {
  const wanted = Object.entries(properties).filter(([key]) => !options.onlyRequired || required.includes(key))
  return Object.fromEntries(wanted.map(([key, property]) => [key, sampleOf(property, options)]))
}

function sampleText({ format, minLength, maxLength }: Schema): string {
  const known: Record<string, string> = {
    date: '2026-03-01',
    'date-time': '2026-03-01T04:00:00Z',
    email: 'someone@example.com',
    uri: 'https://example.com/',
    url: 'https://example.com/',
  }
  const text = known[String(format)] ?? 'sample'
  return text.padEnd(Number(minLength ?? 0), 'x').slice(0, Number(maxLength ?? Infinity))
}
