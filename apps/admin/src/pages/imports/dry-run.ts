/** Figures a dry run or a finished import may bring, in the order they are shown. */
export const countIds = [
  'rows', 'orders', 'newOrders', 'updatedOrders', 'duplicates', 'events', 'problemRows', 'newCustomers', 'knownCustomers', 'customers', 'sum',
] as const
export type CountId = (typeof countIds)[number]

/** The figures there are, in their order; `counts` may lie one level down. */
export function readCounts(run: Record<string, unknown>): [CountId, number][] {
  const inner = typeof run['counts'] === 'object' && run['counts'] ? (run['counts'] as Record<string, unknown>) : {}
  const all = { ...run, ...inner }
  return countIds.flatMap((id): [CountId, number][] => {
    const value = all[id]
    return typeof value === 'number' ? [[id, value]] : []
  })
}

/** Columns of a preview: every key that some row fills, the row number first. */
export function previewColumns(rows: readonly Record<string, unknown>[]): string[] {
  const keys = new Set<string>()
  for (const row of rows) for (const [key, value] of Object.entries(row)) if (value !== null && value !== '' && typeof value !== 'object') keys.add(key)
  keys.delete('row')
  return [...keys]
}
