/**
 * Parameters inside the definition of a journey template. `${name}` stands where one goes; `${total - ahead}` and
 * `${-days}` calculate with numbers. A text that is one placeholder and nothing else becomes the value itself, with
 * its type; inside a longer text the value is written out. `$${name}` writes `${name}`. Liquid's `{{ customer.… }}`
 * is no placeholder: it stays as it is, to be filled in when the message goes out.
 */
export type JourneyParameters = Readonly<Record<string, unknown>>

const PLACEHOLDER = /\$?\$\{([^{}]*)\}/g
const EXPRESSION = /^\s*(-)?\s*([A-Za-z]\w*)((?:\s*[-+*]\s*(?:[A-Za-z]\w*|\d+))*)\s*$/
const TERM = /([-+*])\s*([A-Za-z]\w*|\d+)/g

/** A placeholder, and where it stands. */
export interface JourneyPlaceholder {
  /** As it is written, without `${` and `}`. */
  text: string
  path: string
  /** Parameters that it names; empty for one that cannot be read. */
  names: string[]
}

/** Placeholders in a definition, wherever they stand. */
export function journeyPlaceholders(definition: unknown, path = ''): JourneyPlaceholder[] {
  if (typeof definition === 'string')
    return [...definition.matchAll(PLACEHOLDER)].flatMap(([whole, text = '']) =>
      whole.startsWith('$$') ? [] : [{ text, path, names: namesIn(text) }],
    )
  if (typeof definition !== 'object' || definition === null) return []
  return Object.entries(definition).flatMap(([key, value]) =>
    journeyPlaceholders(value, path === '' ? key : `${path}.${key}`),
  )
}

/** A definition with its placeholders filled in, and the names of those that have no value. */
export function fillJourney(
  definition: unknown,
  parameters: JourneyParameters,
): { definition: unknown; missing: string[] } {
  const missing = new Set<string>()
  const valueOf = (text: string): unknown => {
    const unknown = namesIn(text).filter((name) => isNothing(parameters[name]))
    for (const name of unknown) missing.add(name)
    if (!EXPRESSION.test(text)) missing.add(text)
    return unknown.length > 0 || !EXPRESSION.test(text) ? undefined : evaluate(text, parameters)
  }
  const fill = (value: unknown): unknown => {
    if (typeof value === 'string') {
      const whole = /^\$\{([^{}]*)\}$/.exec(value)
      if (whole) return valueOf(whole[1] as string)
      return value.replaceAll(PLACEHOLDER, (placeholder, text: string) =>
        placeholder.startsWith('$$') ? placeholder.slice(1) : toText(valueOf(text)),
      )
    }
    if (Array.isArray(value)) return value.map(fill)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fill(inner)]))
  }
  return { definition: fill(definition), missing: [...missing] }
}

function namesIn(text: string): string[] {
  const match = EXPRESSION.exec(text)
  if (!match) return []
  const rest = [...(match[3] ?? '').matchAll(TERM)].map(([, , term]) => term as string)
  return [match[2] as string, ...rest.filter((term) => !/^\d/.test(term))]
}

/** From left to right, without precedence: what templates need are sums and differences. */
function evaluate(text: string, parameters: JourneyParameters): unknown {
  const [, minus, first, rest = ''] = EXPRESSION.exec(text) as unknown as string[]
  const value = parameters[first as string]
  if (minus === undefined && rest === '') return value
  let result = Number(value) * (minus === undefined ? 1 : -1)
  for (const [, operator, term] of rest.matchAll(TERM)) {
    const number = Number(/^\d/.test(term as string) ? term : parameters[term as string])
    result = operator === '+' ? result + number : operator === '-' ? result - number : result * number
  }
  // There is no minus nothing.
  return result === 0 ? 0 : result
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null
}

function toText(value: unknown): string {
  if (value === undefined) return ''
  return Array.isArray(value) ? value.join(', ') : String(value)
}
