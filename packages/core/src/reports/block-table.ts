import type { BlockData, TableColumn } from '@huitou/plugin-api'
import type { CellFormatter } from '../cell-format.ts'
import type { Cell, Table } from '../spreadsheet.ts'

interface PlainTable {
  columns: Pick<TableColumn, 'id' | 'title' | 'type'>[]
  rows: Record<string, unknown>[]
}

const WORDS = {
  en: {
    name: 'Name',
    value: 'Value',
    previous: 'Before',
    from: 'From',
    to: 'To',
    size: 'Size',
    share: 'Share',
  },
  'zh-CN': {
    name: '名称',
    value: '数值',
    previous: '上期',
    from: '从',
    to: '到',
    size: '人数',
    share: '占比',
  },
} as const

/** The numbers of a block as a table for a file; text has none. */
export function blockTable(
  name: string,
  data: BlockData,
  { format, locale }: { format: CellFormatter; locale: 'en' | 'zh-CN' },
): Table | undefined {
  const table = toRows(data, WORDS[locale])
  if (!table) return undefined
  const rows = table.rows.map((row): Cell[] =>
    table.columns.map(({ id, type }) => format((row[id] ?? null) as string | number | null, { type })),
  )
  return { name, headers: table.columns.map(({ title }) => title), pages: oneByOne(rows) }
}

async function* oneByOne(rows: Cell[][]): AsyncGenerator<Cell[][]> {
  for (let start = 0; start < rows.length; start += 5_000) yield rows.slice(start, start + 5_000)
}

type Words = (typeof WORDS)[keyof typeof WORDS]

function toRows(data: BlockData, words: Words): PlainTable | undefined {
  switch (data.kind) {
    case 'text':
      return undefined
    case 'table':
      return data
    case 'number':
      return {
        columns: [
          { id: 'value', title: words.value, type: data.type },
          { id: 'previous', title: words.previous, type: data.type },
        ],
        rows: [{ value: data.value, previous: data.previous }],
      }
    case 'line':
    case 'bar':
      return grid(
        { title: words.name, rows: data.categories.map((title) => ({ title })) },
        data.series.map(({ id, title, values }) => ({ id, title, type: data.type, values })),
      )
    case 'cohort':
      return grid({ title: words.name, rows: data.rows }, [
        { id: 'size', title: words.size, type: 'integer', values: data.rows.map(({ size }) => size) },
        ...data.columns.map((title, column) => ({
          id: `c${column}`,
          title,
          type: 'percent' as const,
          values: data.values.map((row) => row[column] ?? null),
        })),
      ])
    case 'heatmap':
      return {
        columns: [
          { id: 'y', title: words.name, type: 'text' },
          { id: 'x', title: words.value, type: 'text' },
          ...data.measures.map(({ id, title, type }) => ({ id: `m_${id}`, title, type })),
        ],
        rows: data.y.flatMap((y, row) =>
          data.x.map((x, column) => ({
            y: y.title,
            x: x.title,
            ...Object.fromEntries(data.measures.map(({ id, values }) => [`m_${id}`, values[row]?.[column]])),
          })),
        ),
      }
    case 'funnel':
      return {
        columns: [
          { id: 'title', title: words.name, type: 'text' },
          { id: 'value', title: words.value, type: 'number' },
          { id: 'share', title: words.share, type: 'percent' },
        ],
        rows: data.steps.map(({ title, value }) => ({
          title,
          value,
          share: data.steps[0]?.value ? value / data.steps[0].value : null,
        })),
      }
    case 'sankey': {
      const titles = new Map(data.nodes.map(({ id, title }) => [id, title]))
      return {
        columns: [
          { id: 'source', title: words.from, type: 'text' },
          { id: 'target', title: words.to, type: 'text' },
          { id: 'value', title: words.value, type: 'number' },
        ],
        rows: data.links.map(({ source, target, value }) => ({
          source: titles.get(source) ?? source,
          target: titles.get(target) ?? target,
          value,
        })),
      }
    }
  }
}

function grid(
  heads: { title: string; rows: readonly { title: string }[] },
  columns: { id: string; title: string; type: TableColumn['type']; values: (number | null)[] }[],
): PlainTable {
  return {
    columns: [
      { id: 'name', title: heads.title, type: 'text' },
      ...columns.map(({ title, type }, at) => ({ id: `v${at}`, title, type })),
    ],
    rows: heads.rows.map(({ title }, row) => ({
      name: title,
      ...Object.fromEntries(columns.map(({ values }, at) => [`v${at}`, values[row] ?? null])),
    })),
  }
}
