import { ReadableStream as NodeReadableStream, TextEncoderStream } from 'node:stream/web'
import { stringify } from 'csv-stringify/sync'
import { writeXlsxStream } from 'hucre/xlsx'

export type SpreadsheetFormat = 'csv' | 'xlsx'

/** A cell as a spreadsheet keeps it: numbers stay numbers, times are `Date`. */
export type Cell = string | number | boolean | null

export interface Table {
  /** Name of the sheet and, with the ending, of the file. */
  name: string
  headers: string[]
  /** Pages of rows, asked for one after the other as the reader takes them. */
  pages: AsyncIterable<Cell[][]>
}

export const SPREADSHEET_TYPES: Record<SpreadsheetFormat, string> = {
  csv: 'text/csv; charset=utf-8',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
}

/**
 * A table as a file, written while it is read: memory does not grow with the rows. CSV starts with a byte order
 * mark, so that Excel reads Chinese, and no text in it runs as a formula.
 */
export function toSpreadsheet(
  { name, headers, pages }: Table,
  format: SpreadsheetFormat,
): ReadableStream<Uint8Array> {
  if (format === 'xlsx') {
    return writeXlsxStream(rowsOf(pages), {
      name: sheetName(name),
      columns: headers.map((header) => ({ header })),
      freezePane: { rows: 1 },
    })
  }
  const parts = NodeReadableStream.from(csvParts(headers, pages))
  return parts.pipeThrough(new TextEncoderStream()) as unknown as ReadableStream<Uint8Array>
}

/** Header that makes browsers save the file under its name, in whatever script that is. */
export function attachment(name: string, format: SpreadsheetFormat): string {
  const file = `${name.replaceAll(/[\\/:*?"<>|\p{Cc}]/gu, ' ').trim() || 'export'}.${format}`
  const plain = file.replaceAll(/[^\x20-\x7E]/g, '_')
  return `attachment; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(file).replaceAll("'", '%27')}`
}

async function* csvParts(headers: string[], pages: AsyncIterable<Cell[][]>): AsyncGenerator<string> {
  yield `\uFEFF${stringify([headers.map(harmless)], { record_delimiter: 'windows' })}`
  for await (const rows of pages)
    yield stringify(
      rows.map((row) => row.map(harmless)),
      { record_delimiter: 'windows' },
    )
}

async function* rowsOf(pages: AsyncIterable<Cell[][]>): AsyncGenerator<Cell[]> {
  for await (const rows of pages) yield* rows
}

/** A text that a spreadsheet would calculate gets an apostrophe in front; numbers are what they are. */
function harmless(cell: Cell): string | number | null {
  if (typeof cell === 'boolean') return String(cell)
  return typeof cell === 'string' && /^[=+\-@\t\r＝＋－＠]/.test(cell) ? `'${cell}` : cell
}

/** Excel refuses these characters in sheet names, and more than 31 of any. */
function sheetName(name: string): string {
  return [...name.replaceAll(/[[\]:*?/\\]/g, ' ').trim()].slice(0, 31).join('') || 'Sheet1'
}
