import type { RowProblem, SourceRow } from '@huitou/plugin-api'
import type { TableRows } from './csv-rows.ts'
import { cutRow, fitRow, type RowRules } from './row-problems.ts'

/** Rows looked at together: few enough to answer requests in between, many enough for one call to a plugin. */
export const CHUNK_ROWS = 2_000

export interface FittingRows {
  /** Rows to import, each as wide as the headings. */
  rows: SourceRow[]
  /** Rows that take no part, as they were. */
  refused: SourceRow[]
  /** What is wrong with rows of both. */
  problems: RowProblem[]
}

/** The rows below the headings, a few thousand at a time. */
export async function* fittingRows(
  table: TableRows,
  { headerRow, rules }: { headerRow: number; rules: RowRules },
): AsyncGenerator<FittingRows> {
  let chunk: FittingRows = { rows: [], refused: [], problems: [] }
  // One row is held back: only at the end of the file is it known whether it is a whole one.
  let last: SourceRow | undefined
  const take = (row: SourceRow, cut: boolean) => {
    const cutOff = cut ? cutRow(row, rules) : undefined
    const problem = cutOff?.outcome === 'skipped' ? cutOff : (fitRow(row, rules) ?? cutOff)
    if (problem) chunk.problems.push(problem)
    if (problem?.outcome === 'skipped') chunk.refused.push(row)
    else chunk.rows.push(row)
  }
  for await (const batch of table.batches()) {
    for (const row of batch) {
      if (row.row <= headerRow || row.cells.every((cell) => cell.trim() === '')) continue
      if (last) take(last, false)
      last = row
    }
    if (chunk.rows.length + chunk.refused.length >= CHUNK_ROWS) {
      yield chunk
      chunk = { rows: [], refused: [], problems: [] }
    }
  }
  if (last) take(last, table.endsOpen() && last.cells.length < rules.columns)
  if (chunk.rows.length + chunk.refused.length > 0) yield chunk
}
