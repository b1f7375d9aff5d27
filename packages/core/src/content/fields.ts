import type { JsonSchema } from '@huitou/plugin-api'
import type { Escaping } from './liquid.ts'

/** What a field of a channel's content holds: decides how values are put in, and whether links are looked for. */
export type FieldKind = 'html' | 'text' | 'url' | 'assets' | 'data'

interface FieldSchema {
  type?: unknown
  format?: unknown
  contentMediaType?: unknown
  items?: unknown
  properties?: unknown
  additionalProperties?: unknown
}

/** Kind of a top-level field. A field called `html` holds HTML, whatever its schema says of it. */
export function fieldKind(schema: JsonSchema | undefined, field: string): FieldKind {
  const declared = fieldSchema(schema, field)
  if (declared?.contentMediaType === 'text/html' || field === 'html') return 'html'
  if (declared?.format === 'uri') return 'url'
  if (declared?.type === 'array' && (declared.items as FieldSchema | undefined)?.format === 'asset')
    return 'assets'
  // What nobody has described is passed on as it is: a link in it may be meant for a program.
  if (declared?.type === 'object' && !declared.properties && declared.additionalProperties === undefined)
    return 'data'
  return 'text'
}

export function escapingOf(kind: FieldKind): Escaping {
  return kind === 'html' ? 'html' : 'none'
}

export function hasField(schema: JsonSchema | undefined, field: string): boolean {
  return fieldSchema(schema, field) !== undefined
}

function fieldSchema(schema: JsonSchema | undefined, field: string): FieldSchema | undefined {
  const properties = schema?.['properties'] as Record<string, FieldSchema> | undefined
  return properties && Object.hasOwn(properties, field) ? properties[field] : undefined
}
