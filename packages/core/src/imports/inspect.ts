import { type FileSample, type Recognition, type Source, type SourceRow, userError } from '@huitou/plugin-api'
import type { TableRows } from './csv-rows.ts'
import type { ImportLimits } from './limits.ts'
import { findFormats, type TableFormat } from './table-file.ts'

/** What is known about a file before its rows are read. */
export interface TableFacts {
  format: TableFormat
  /** Number of the row with the headings; notes may stand above it. */
  headerRow: number
  headers: string[]
  /** The first rows below the headings. */
  sample: SourceRow[]
  /** Best first; empty when the source does not know the file. */
  recognitions: Recognition[]
}

const SAMPLE = 10
/** Headings are looked for in so many rows. */
const HEADINGS_WITHIN = 20

export interface InspectOptions {
  name: string
  recognise: NonNullable<Source['recognise']>
  limits: ImportLimits
}

/** Reads the beginning of a file and finds its headings by asking the source what it recognises. */
export async function inspectTable(path: string, options: InspectOptions): Promise<TableFacts> {
  let best: TableFacts | undefined
  let rowsSeen = 0
  await findFormats(path, options.limits, async (format, rows) => {
    const first = await firstRows(rows)
    rowsSeen += first.length
    if (first.length === 0) return
    const facts = { format, ...(await findHeadings(first, options)) }
    // A cover sheet may well come first: a sheet without rows below its headings gives way to one that has some.
    const better =
      !best ||
      confidence(facts) > confidence(best) ||
      (best.sample.length === 0 && facts.sample.length > 0 && confidence(best) === 0)
    if (better) best = facts
  })
  if (!best) {
    throw userError('E_FILE_EMPTY', rowsSeen === 0 ? 'There is no row in the file' : 'The file is empty', {
      hint: 'Export it again; nothing was written to it.',
    })
  }
  if (best.sample.length === 0) {
    throw userError('E_FILE_NO_ROWS', 'The file has headings and no rows below them', {
      hint: 'Choose a longer period in the export.',
    })
  }
  return best
}

async function firstRows(rows: TableRows): Promise<SourceRow[]> {
  const first: SourceRow[] = []
  for await (const batch of rows.batches()) {
    first.push(...batch.slice(0, HEADINGS_WITHIN + SAMPLE - first.length))
    if (first.length >= HEADINGS_WITHIN + SAMPLE) break
  }
  return first
}

async function findHeadings(
  rows: SourceRow[],
  { name, recognise }: InspectOptions,
): Promise<Omit<TableFacts, 'format'>> {
  const filled = rows.map(({ cells }) => cells.filter((cell) => cell.trim() !== '').length)
  const widest = Math.max(...filled.slice(0, HEADINGS_WITHIN))
  let best: Omit<TableFacts, 'format'> | undefined
  for (const [index, row] of rows.slice(0, HEADINGS_WITHIN).entries()) {
    // A title or a note stands in one cell; headings do so only in a table of one column.
    if (filled[index]! < Math.min(2, widest)) continue
    const sample: FileSample = {
      fileName: name,
      headers: trimEnd(row.cells),
      rows: rows.slice(index + 1, index + 1 + SAMPLE),
    }
    const recognitions = (await recognise(sample)).toSorted((a, b) => b.confidence - a.confidence)
    const found = { headerRow: row.row, headers: sample.headers, sample: sample.rows, recognitions }
    if (!best || confidence(found) > confidence(best)) best = found
  }
  if (best && best.recognitions.length > 0) return best
  const index = Math.max(
    0,
    filled.findIndex((count) => count >= widest * 0.6),
  )
  const row = rows[index] as SourceRow
  return {
    headerRow: row.row,
    headers: trimEnd(row.cells),
    sample: rows.slice(index + 1, index + 1 + SAMPLE),
    recognitions: [],
  }
}

function confidence({ recognitions }: Pick<TableFacts, 'recognitions'>): number {
  return recognitions[0]?.confidence ?? 0
}

/** Exports often end every row with a separator, which makes a last heading without a name. */
function trimEnd(cells: string[]): string[] {
  let length = cells.length
  while (length > 1 && cells[length - 1]!.trim() === '') length--
  return cells.slice(0, length)
}
