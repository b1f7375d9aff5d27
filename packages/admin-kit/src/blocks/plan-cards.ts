import type { CustomersBehind, TableData } from '@huitou/plugin-api'

/** A group of customers with what to do for them. */
export interface Plan {
  title: string
  strategy: string
  color?: string | undefined
  behind?: CustomersBehind | undefined
  figures: {
    id: string
    title: string
    type: TableData['columns'][number]['type']
    value: string | number | null
  }[]
}

/** Reads a table as cards when it is one of few groups, each with a column `strategy`; undefined for any other. */
export function toPlans(data: TableData): Plan[] | undefined {
  if (!data.columns.some((column) => column.id === 'strategy') || data.rows.length > 6) return undefined
  const name = data.columns.find(
    (column) => column.id !== 'strategy' && (column.type === 'text' || column.type === 'label'),
  )
  if (!name) return undefined
  return data.rows.map((row) => ({
    title: String(row[name.id] ?? ''),
    strategy: String(row['strategy'] ?? ''),
    color: name.colors?.[String(row[name.id])],
    behind: row.$behind,
    figures: data.columns
      .filter((column) => column !== name && column.id !== 'strategy')
      .map(({ id, title, type }) => ({ id, title, type, value: plain(row[id]) })),
  }))
}

function plain(value: unknown): string | number | null {
  return typeof value === 'string' || typeof value === 'number' ? value : null
}
