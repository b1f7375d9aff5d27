import type { BlockData, HeatmapData, SeriesData, TableColumn, TableData } from '@huitou/plugin-api'

/** Words for columns that the data itself does not name. */
export interface TableWords {
  name: string
  value: string
  previous: string
  from: string
  to: string
  size: string
  share: string
}

/** The same numbers as rows and columns, for reading, sorting and copying. Text has none. */
export function toTable(data: BlockData, words: TableWords): TableData | undefined {
  switch (data.kind) {
    case 'table':
      return data
    case 'number':
      return {
        kind: 'table',
        columns: [
          { id: 'value', title: words.value, type: data.type },
          { id: 'previous', title: words.previous, type: data.type },
        ],
        rows: [
          {
            value: data.value,
            previous: data.previous ?? null,
            ...(data.behind && { $behind: data.behind }),
          },
        ],
      }
    case 'line':
    case 'bar':
      return seriesTable(data, words)
    case 'heatmap':
      return heatTable(data, words)
    case 'funnel':
      return {
        kind: 'table',
        columns: [
          { id: 'title', title: words.name, type: 'text' },
          { id: 'value', title: words.value, type: 'integer' },
          { id: 'share', title: words.share, type: 'percent' },
        ],
        rows: data.steps.map((step, at) => ({
          title: step.title,
          value: step.value,
          share: shareOf(step.value, data.steps[at - 1]?.value),
          ...(step.behind && { $behind: step.behind }),
        })),
      }
    case 'sankey': {
      const titles = new Map(data.nodes.map((node) => [node.id, node.title]))
      return {
        kind: 'table',
        columns: [
          { id: 'source', title: words.from, type: 'text' },
          { id: 'target', title: words.to, type: 'text' },
          { id: 'value', title: words.value, type: 'integer' },
        ],
        rows: data.links.map(({ source, target, value }) => ({
          source: titles.get(source) ?? source,
          target: titles.get(target) ?? target,
          value,
        })),
      }
    }
    case 'cohort':
      return {
        kind: 'table',
        columns: [
          { id: 'title', title: words.name, type: 'text' },
          { id: 'size', title: words.size, type: 'integer' },
          ...data.columns.map((title, at): TableColumn => ({ id: `c${at}`, title, type: 'percent' })),
        ],
        rows: data.rows.map((row, at) => ({
          title: row.title,
          size: row.size,
          ...Object.fromEntries(
            data.columns.map((_, column) => [`c${column}`, data.values[at]?.[column] ?? null]),
          ),
        })),
      }
    case 'text':
      return undefined
  }
}

/** Rows by one column, nothing last in both directions; the given order where values are equal. */
export function sortRows<T extends Record<string, unknown>>(
  rows: readonly T[],
  column: string,
  dir: 'asc' | 'desc',
): T[] {
  const sign = dir === 'asc' ? 1 : -1
  return rows.toSorted((a, b) => {
    const [left, right] = [a[column], b[column]]
    if (left == null || right == null) return Number(left == null) - Number(right == null)
    if (typeof left === 'number' && typeof right === 'number') return sign * (left - right)
    return sign * collator.compare(String(left), String(right))
  })
}

function seriesTable(data: SeriesData, words: TableWords): TableData {
  return {
    kind: 'table',
    columns: [
      { id: 'name', title: words.name, type: 'text' },
      ...data.series.map((series): TableColumn => ({ id: series.id, title: series.title, type: data.type })),
    ],
    rows: data.categories.map((name, at) => ({
      name,
      ...Object.fromEntries(data.series.map((series) => [series.id, series.values[at] ?? null])),
      ...(data.behind?.[at] && { $behind: data.behind[at] }),
    })),
  }
}

function heatTable(data: HeatmapData, words: TableWords): TableData {
  return {
    kind: 'table',
    columns: [
      { id: 'y', title: words.name, type: 'text' },
      { id: 'x', title: words.value, type: 'text' },
      ...data.measures.map((measure): TableColumn => ({
        id: measure.id,
        title: measure.title,
        type: measure.type,
      })),
    ],
    rows: data.y.flatMap((y, row) =>
      data.x.map((x, column) => ({
        y: y.title,
        x: x.title,
        ...Object.fromEntries(
          data.measures.map((measure) => [measure.id, measure.values[row]?.[column] ?? null]),
        ),
        ...(data.behind?.[row]?.[column] && { $behind: data.behind[row][column] }),
      })),
    ),
  }
}

const collator = new Intl.Collator('zh-CN', { numeric: true })

function shareOf(value: number, before: number | undefined): number | null {
  if (before === undefined) return 1
  return before === 0 ? null : value / before
}
