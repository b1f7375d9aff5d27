/** What variables are filled in from. */
export interface ContentVariables {
  customer: Record<string, unknown>
  event: Record<string, unknown>
  [name: string]: unknown
}

/** Content ready to send, or why it cannot be. */
export type RenderedContent = { content: Record<string, unknown> } | { problem: string }

/** Fills variables in. A variable without a value and without a default is a problem, never an empty place. */
export type ContentRenderer = (
  content: Record<string, unknown>,
  variables: ContentVariables,
  about: { deliveryKey: string; locale: string },
) => RenderedContent

const VARIABLE = /\{\{\s*([\w.]+)\s*(?:\|\s*default:\s*(?:"([^"]*)"|'([^']*)')\s*)?\}\}/g

/** Paths of the variables in a text or in any text within, with whether each has a default. */
export function variablesIn(value: unknown): { path: string; optional: boolean }[] {
  if (typeof value === 'string') {
    return [...value.matchAll(VARIABLE)].map(([, path, a, b]) => ({
      path: path as string,
      optional: (a ?? b) !== undefined,
    }))
  }
  if (Array.isArray(value)) return value.flatMap(variablesIn)
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(variablesIn) : []
}

/** Fills in `{{customer.t_name}}` and `{{event.order_id | default: "…"}}`. */
export const renderPlainContent: ContentRenderer = (content, variables) => {
  const missing = new Set<string>()
  const fill = (value: unknown): unknown => {
    if (typeof value === 'string') {
      return value.replaceAll(VARIABLE, (_, path: string, a?: string, b?: string) => {
        const found = look(variables, path)
        if (found !== undefined && found !== null && found !== '') return String(found)
        if ((a ?? b) === undefined) missing.add(path)
        return a ?? b ?? ''
      })
    }
    if (Array.isArray(value)) return value.map(fill)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fill(inner)]))
  }
  const filled = fill(content) as Record<string, unknown>
  return missing.size > 0 ? { problem: `no value for ${[...missing].join(', ')}` } : { content: filled }
}

function look(variables: Record<string, unknown>, path: string): unknown {
  let value: unknown = variables
  for (const step of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = (value as Record<string, unknown>)[step]
  }
  return value
}
