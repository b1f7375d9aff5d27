/** Where the customers of a rule are listed: a rule, or plain columns with their values as reports give them. */
export function customersHref(rule: object): string {
  return `/customers?rule=${encodeURIComponent(JSON.stringify(rule))}`
}

/** The rule in a place's query, or undefined when there is none or it cannot be read. */
export function readRule(text: unknown): Record<string, unknown> | undefined {
  if (typeof text !== 'string' || text === '') return undefined
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
