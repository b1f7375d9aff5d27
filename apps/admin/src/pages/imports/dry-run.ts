import type { ImportDryRun } from '@huitou/admin-kit'

/** A figure of a dry run: a number, or a decimal sum with its currency. */
export interface Figure {
  id: string
  value: number
  currency?: string
}

/** The figures worth a tile, in their order; what is zero and says nothing is left out. */
export function figuresOf(run: ImportDryRun): Figure[] {
  const events = Object.values(run.events).reduce((sum, count) => sum + count, 0)
  const figures: Figure[] = [
    { id: 'rows', value: run.rows },
    { id: 'orders', value: run.groups },
    { id: 'events', value: events },
    { id: 'known', value: run.known },
    { id: 'customers', value: run.customers },
    { id: 'newCustomers', value: run.newCustomers },
    { id: 'problemRows', value: run.problemRows },
  ]
  const paid = run.values['order.paid'] ?? Object.values(run.values)[0] ?? {}
  for (const [currency, sum] of Object.entries(paid).slice(0, 2)) {
    figures.push({ id: 'sum', value: Number(sum), ...(currency ? { currency } : {}) })
  }
  return figures.filter(({ id, value }) => value !== 0 || id !== 'known')
}

/** Always shown; of the others only what differs from row to row, for the rest says nothing about the mapping. */
const alwaysShown = new Set(['event', 'timestamp', 'user', 'order_id'])

/** Columns of a preview: every key that some row fills, without the row number and without constants. */
export function previewColumns(rows: readonly Record<string, unknown>[]): string[] {
  const keys = new Map<string, Set<unknown>>()
  for (const row of rows) {
    for (const [key, value] of Object.entries(row)) {
      if (value !== null && value !== '' && typeof value !== 'object')
        keys.set(key, (keys.get(key) ?? new Set()).add(value))
    }
  }
  keys.delete('row')
  return [...keys]
    .filter(([key, values]) => alwaysShown.has(key) || rows.length < 3 || values.size > 1)
    .map(([key]) => key)
}
