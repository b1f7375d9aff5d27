import type { Localized } from '@huitou/admin-kit'

/** One parameter of a report as a control needs it. */
export interface Parameter {
  name: string
  title: Localized | string
  kind: 'choice' | 'date' | 'number' | 'switch' | 'text'
  choices: { value: string; title: Localized | string }[]
  fallback: string
  /** Written back as a number or a boolean rather than as text. */
  isNumber: boolean
}

type Schema = Record<string, unknown>

/** Reads the controls out of the JSON Schema of a report's parameters, in their order. */
export function toParameters(schema: Schema | null | undefined): Parameter[] {
  const properties = Object.entries((schema?.['properties'] ?? {}) as Record<string, Schema>)
  return properties
    .toSorted(([, a], [, b]) => Number(a['order'] ?? 0) - Number(b['order'] ?? 0))
    .map(([name, property]) => {
      const choices = choicesOf(property)
      return {
        name,
        title: (property['title'] ?? name) as Localized | string,
        kind: kindOf(property, choices.length > 0),
        choices,
        fallback: property['default'] === undefined ? '' : String(property['default']),
        isNumber: property['type'] === 'integer' || property['type'] === 'number',
      }
    })
}

/** The values to run with: what the place says, else the default; nothing for what has neither. */
export function readParameters(
  parameters: readonly Parameter[],
  query: Readonly<Record<string, unknown>>,
): Record<string, string | number | boolean> {
  const values: Record<string, string | number | boolean> = {}
  for (const parameter of parameters) {
    const given = query[parameter.name]
    const text = typeof given === 'string' ? given : parameter.fallback
    if (text === '') continue
    if (parameter.kind === 'switch') values[parameter.name] = text === 'true'
    else if (parameter.isNumber) values[parameter.name] = Number(text)
    else values[parameter.name] = text
  }
  return values
}

function kindOf(property: Schema, hasChoices: boolean): Parameter['kind'] {
  if (hasChoices) return 'choice'
  if (property['type'] === 'boolean') return 'switch'
  if (property['format'] === 'date') return 'date'
  return property['type'] === 'integer' || property['type'] === 'number' ? 'number' : 'text'
}

/** `oneOf: [{ const, title }]`, or `enum` with or without titles beside it. */
function choicesOf(property: Schema): Parameter['choices'] {
  const oneOf = property['oneOf'] as { const: unknown; title?: Localized | string }[] | undefined
  if (oneOf)
    return oneOf.map((choice) => ({
      value: String(choice.const),
      title: choice.title ?? String(choice.const),
    }))
  const values = (property['enum'] ?? []) as unknown[]
  const titles = (property['enumTitles'] ?? property['enumDescriptions'] ?? []) as (Localized | string)[]
  return values.map((value, at) => ({ value: String(value), title: titles[at] ?? String(value) }))
}
