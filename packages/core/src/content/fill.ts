import type { JsonSchema } from '@huitou/plugin-api'
import { escapingOf, fieldKind } from './fields.ts'
import type { Here } from './here.ts'
import { compileText, type Escaping } from './liquid.ts'

export type FilledContent = { content: Record<string, unknown> } | { problem: string; missing: string[] }

/** What variables stand for. */
export interface Scope {
  customer: Record<string, unknown>
  event: Record<string, unknown>
  [name: string]: unknown
}

/** Fills the variables of every field in. A variable without a value and without a default is told, never left empty. */
export function fillContent(
  content: Readonly<Record<string, unknown>>,
  { schema, scope, here }: { schema?: JsonSchema | undefined; scope: Scope; here: Here },
): FilledContent {
  const filling = new Filling(presentOnly(scope), here)
  const filled: Record<string, unknown> = {}
  for (const [field, value] of Object.entries(content))
    filled[field] = filling.fill(value, { field, escaping: escapingOf(fieldKind(schema, field)) })
  return filling.outcome(filled)
}

class Filling {
  readonly #scope: object
  readonly #here: Here
  readonly #missing = new Set<string>()
  readonly #problems: string[] = []

  constructor(scope: object, here: Here) {
    this.#scope = scope
    this.#here = here
  }

  fill(value: unknown, place: { field: string; escaping: Escaping }): unknown {
    if (typeof value === 'string') return this.#text(value, place)
    if (Array.isArray(value)) return value.map((inner) => this.fill(inner, place))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [
        key,
        this.fill(inner, { ...place, field: `${place.field}.${key}` }),
      ]),
    )
  }

  outcome(content: Record<string, unknown>): FilledContent {
    const missing = [...this.#missing]
    if (missing.length > 0) return { missing, problem: `no value for ${missing.join(', ')}` }
    const [problem] = this.#problems
    return problem === undefined ? { content } : { missing, problem }
  }

  #text(text: string, { field, escaping }: { field: string; escaping: Escaping }): string {
    const rendered = compileText(text, escaping).render(this.#scope, this.#here)
    if ('text' in rendered) return rendered.text
    if ('missing' in rendered) for (const name of rendered.missing) this.#missing.add(name)
    else this.#problems.push(`${field}: ${rendered.problem}`)
    return ''
  }
}

/** Variables that have a value: what is empty counts as missing, so that no text has an empty place. */
function presentOnly(scope: Scope): object {
  const present = Object.create(null) as Record<string, unknown>
  for (const [name, value] of Object.entries(scope)) present[name] = withoutEmpty(value)
  return present
}

function withoutEmpty(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value ?? undefined
  const present: Record<string, unknown> = {}
  for (const key in value) {
    const inner = (value as Record<string, unknown>)[key]
    if (inner === null || inner === undefined || inner === '') continue
    present[key] = typeof inner === 'object' && !Array.isArray(inner) ? withoutEmpty(inner) : inner
  }
  return present
}
