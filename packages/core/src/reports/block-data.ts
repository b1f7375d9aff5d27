import type { BlockData, ReportBlockKind } from '@huitou/plugin-api'
import { z } from 'zod'

const MAX_ROWS = 50_000
const MAX_TEXT = 20_000

const text = z.string().max(MAX_TEXT)
const number = z.number().nullable()
const type = z.enum(['text', 'number', 'integer', 'money', 'time', 'boolean', 'label', 'percent'])
const behind = z.record(
  z.string(),
  z.union([z.string(), z.number(), z.boolean(), z.array(z.union([z.string(), z.number()]))]),
)
const numbers = z.array(number).max(MAX_ROWS)
const axis = z.object({ id: z.string(), title: text, note: text.optional() })

const numberData = z.object({
  kind: z.literal('number'),
  value: number,
  type,
  previous: number.optional(),
  note: text.optional(),
  behind: behind.optional(),
})

const tableData = z.object({
  kind: z.literal('table'),
  columns: z
    .array(
      z.object({ id: z.string(), title: text, type, colors: z.record(z.string(), z.string()).optional() }),
    )
    .max(200),
  rows: z.array(z.object({ $behind: behind.optional() }).catchall(z.union([text, number]))).max(MAX_ROWS),
})

const seriesData = z
  .object({
    kind: z.enum(['line', 'bar']),
    type,
    categories: z.array(text).max(MAX_ROWS),
    series: z
      .array(z.object({ id: z.string(), title: text, color: z.string().optional(), values: numbers }))
      .max(100),
    axis: z.enum(['time', 'category']).optional(),
    behind: z.array(behind.nullable()).optional(),
  })
  .refine(({ categories, series }) => series.every(({ values }) => values.length === categories.length), {
    error: 'every series needs one value for each category',
    path: ['series'],
  })

const heatmapData = z
  .object({
    kind: z.literal('heatmap'),
    x: z.array(axis).max(400),
    y: z.array(axis).max(400),
    measures: z.array(z.object({ id: z.string(), title: text, type, values: z.array(numbers) })).max(20),
    labels: z.array(z.array(text.nullable())).optional(),
    behind: z.array(z.array(behind.nullable())).optional(),
  })
  .refine(({ x, y, measures }) => measures.every(({ values }) => isGrid(values, y.length, x.length)), {
    error: 'every measure needs values[y][x]',
    path: ['measures'],
  })

const funnelData = z.object({
  kind: z.literal('funnel'),
  steps: z
    .array(z.object({ id: z.string(), title: text, value: z.number(), behind: behind.optional() }))
    .max(100),
})

const sankeyData = z.object({
  kind: z.literal('sankey'),
  nodes: z.array(z.object({ id: z.string(), title: text, color: z.string().optional() })).max(1_000),
  links: z.array(z.object({ source: z.string(), target: z.string(), value: z.number() })).max(10_000),
})

const cohortData = z
  .object({
    kind: z.literal('cohort'),
    rows: z.array(z.object({ id: z.string(), title: text, size: z.number() })).max(1_000),
    columns: z.array(text).max(1_000),
    values: z.array(numbers),
  })
  .refine(({ rows, columns, values }) => isGrid(values, rows.length, columns.length), {
    error: 'values need a row for each cohort and a column for each period',
    path: ['values'],
  })

const textData = z.object({ kind: z.literal('text'), text, tone: z.enum(['plain', 'notice']).optional() })

/** What a report may answer for one block. Parts that no reader knows are left out. */
export const blockData: z.ZodType<BlockData> = z.discriminatedUnion('kind', [
  numberData,
  tableData,
  seriesData,
  heatmapData,
  funnelData,
  sankeyData,
  cohortData,
  textData,
])

/** Whether data of `kind` may stand in a block declared as `declared`: a line may become bars, a text replaces anything. */
export function fitsBlock(kind: ReportBlockKind, declared: ReportBlockKind): boolean {
  const drawn = ['line', 'bar']
  return kind === declared || kind === 'text' || (drawn.includes(kind) && drawn.includes(declared))
}

function isGrid(values: readonly unknown[][], rows: number, columns: number): boolean {
  return values.length === rows && values.every((row) => row.length === columns)
}
