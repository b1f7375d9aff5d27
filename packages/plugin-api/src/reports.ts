import type { ColumnType } from './columns.ts'

/** Customers behind a number: a rule over profile columns, as the segment builder writes it. */
export type CustomersBehind = Readonly<Record<string, string | number | boolean | (string | number)[]>>

export interface NumberData {
  kind: 'number'
  value: number | null
  type: ColumnType | 'percent'
  /** Same figure in the period before. */
  previous?: number | null
  note?: string
  behind?: CustomersBehind
}

export interface TableColumn {
  id: string
  title: string
  type: ColumnType | 'percent'
  /** Colour token per value of this column. */
  colors?: Record<string, string>
}

/** Values by column id; `$behind` leads from the row to its customers. */
export interface TableRow {
  $behind?: CustomersBehind
  [column: string]: string | number | null | undefined | CustomersBehind
}

export interface TableData {
  kind: 'table'
  columns: TableColumn[]
  rows: TableRow[]
}

export interface Series {
  id: string
  title: string
  color?: string
  values: (number | null)[]
}

export interface SeriesData {
  kind: 'line' | 'bar'
  type: ColumnType | 'percent'
  categories: string[]
  series: Series[]
  /** `time` puts dates on the axis. */
  axis?: 'time' | 'category'
  behind?: (CustomersBehind | null)[]
}

export interface HeatmapData {
  kind: 'heatmap'
  /** Columns from left to right, rows from top to bottom. */
  x: { id: string; title: string; note?: string }[]
  y: { id: string; title: string; note?: string }[]
  /** Measures a reader can switch between; `values[y][x]`. */
  measures: { id: string; title: string; type: ColumnType | 'percent'; values: (number | null)[][] }[]
  labels?: (string | null)[][]
  behind?: (CustomersBehind | null)[][]
}

export interface FunnelData {
  kind: 'funnel'
  steps: { id: string; title: string; value: number; behind?: CustomersBehind }[]
}

export interface SankeyData {
  kind: 'sankey'
  nodes: { id: string; title: string; color?: string }[]
  links: { source: string; target: string; value: number }[]
}

/** Rows are cohorts, columns periods since; `values[row][column]` is a share from 0 to 1. */
export interface CohortData {
  kind: 'cohort'
  rows: { id: string; title: string; size: number }[]
  columns: string[]
  values: (number | null)[][]
}

export interface TextData {
  kind: 'text'
  text: string
  tone?: 'plain' | 'notice'
}

export type BlockData =
  | NumberData
  | TableData
  | SeriesData
  | HeatmapData
  | FunnelData
  | SankeyData
  | CohortData
  | TextData

export interface ReportData {
  blocks: Record<string, BlockData>
}
