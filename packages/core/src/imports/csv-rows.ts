import { type SourceRow, userError } from '@huitou/plugin-api'
import { parse } from 'csv-parse'
import { fileCut, tooManyColumns } from './file-errors.ts'
import type { ImportLimits } from './limits.ts'

/** Rows of a table in file order, a few hundred at a time. Blank rows are left out but counted. */
export interface TableRows {
  batches(): AsyncGenerator<SourceRow[]>
  /** After the last batch: whether the file ended without ending its last row. */
  endsOpen(): boolean
}

/** Rows of delimited UTF-8 text. Row numbers are those that a spreadsheet shows. */
export function csvRows(
  chunks: AsyncGenerator<Buffer>,
  { delimiter, limits }: { delimiter: string; limits: ImportLimits },
): TableRows {
  let lastByte = 10
  let quoted = false
  return {
    endsOpen: () => lastByte !== 10 && lastByte !== 13 && !quoted,
    async *batches() {
      let row = 0
      let batch: SourceRow[] = []
      let failure: unknown
      const parser = parse({
        bom: true,
        delimiter,
        relax_quotes: true,
        relax_column_count: true,
        max_record_size: limits.rowBytes,
        // Collected here rather than read from the stream: an object-mode stream costs more than the parsing.
        on_record(cells: string[]) {
          row++
          if (cells.length > limits.columns && !failure)
            failure = tooManyColumns(cells.length, limits.columns)
          if (cells.length > 1 || cells[0] !== '') batch.push({ row, cells })
          return null
        },
      })
      parser.on('error', (error) => (failure ??= toRowError(error, row + 1)))
      parser.resume()
      for await (const chunk of chunks) {
        parser.write(chunk)
        if (failure) throw failure
        if (chunk.length > 0) lastByte = chunk[chunk.length - 1]!
        if (batch.length > 0) yield batch
        batch = []
      }
      quoted = lastByte === 34
      await new Promise<void>((resolve) => {
        parser.once('close', resolve)
        parser.end()
      })
      if (failure) throw failure
      if (batch.length > 0) yield batch
    },
  }
}

function toRowError(error: unknown, row: number): unknown {
  const { code } = error as { code?: string }
  if (code === 'CSV_QUOTE_NOT_CLOSED') return fileCut(`it ends inside a quoted cell, in row ${row}`, error)
  if (code !== 'CSV_MAX_RECORD_SIZE') return error
  return userError('E_FILE_QUOTE', `Row ${row} does not end: a quotation mark in it is never closed`, {
    hint: `Look at row ${row} in a text editor and delete or double the stray quotation mark.`,
    details: { row },
    cause: error,
  })
}
