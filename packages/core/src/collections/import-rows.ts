import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { userError } from '@huitou/plugin-api'
import { parse } from 'csv-parse'
import type { CollectionField, Definition } from './definition.ts'
import { type CellFormat, parseCell } from './record-cells.ts'
import type { RecordData } from './record-schema.ts'

export type ImportFormat = 'csv' | 'jsonl'

/** A row of a file as a record to be: its number as the file's reader counts, and the id it gives. */
export interface ImportRow {
  row: number
  id?: string
  data: RecordData
  /** Why it is no record at all. */
  fault?: string
}

export interface RowSource {
  rows: AsyncIterable<ImportRow>
  /** Headers that are no field's name or title; known once the first row was read. */
  ignored: string[]
}

const ROW_BYTES = 1_048_576
const SNIFFED_BYTES = 65_536

/** Rows of an uploaded file. Columns are found by the fields' names or titles in any language. */
export async function readRows(
  file: string,
  { definition, format, cells }: { definition: Definition; format: ImportFormat; cells: CellFormat },
): Promise<RowSource> {
  const ignored: string[] = []
  const text = () => decoded(file)
  return {
    ignored,
    rows: format === 'csv' ? csvRows(text(), { definition, cells, ignored }) : jsonRows(text(), definition),
  }
}

async function* csvRows(
  text: AsyncIterable<string>,
  { definition, cells, ignored }: { definition: Definition; cells: CellFormat; ignored: string[] },
): AsyncGenerator<ImportRow> {
  const parser = parse({
    bom: true,
    delimiter: [',', ';', '\t'],
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    max_record_size: ROW_BYTES,
  })
  const fed = feed(text, parser)
  let columns: (CollectionField | 'id' | undefined)[] | undefined
  let row = 0
  for await (const record of parser as AsyncIterable<string[]>) {
    row++
    if (!columns) {
      columns = record.map((header) => columnOf(definition, header))
      ignored.push(...record.filter((header, at) => columns?.[at] === undefined && header.trim() !== ''))
      if (columns.every((column) => column === undefined)) throw noColumns(definition, record)
      continue
    }
    const data: RecordData = {}
    let id: string | undefined
    record.forEach((cell, at) => {
      const column = columns?.[at]
      if (column === 'id') id = cell.trim() || undefined
      else if (column) data[column.name] = parseCell(column, cell, cells)
    })
    yield { row, data, ...(id === undefined ? {} : { id }) }
  }
  await fed
}

/** Writes a text into a parser at the pace at which it is read. */
async function feed(
  text: AsyncIterable<string>,
  parser: NodeJS.WritableStream & { destroy(error: Error): void },
): Promise<void> {
  try {
    for await (const chunk of text) {
      if (!parser.write(chunk)) await new Promise<void>((resolve) => void parser.once('drain', resolve))
    }
    parser.end()
  } catch (error) {
    parser.destroy(error as Error)
  }
}

async function* jsonRows(text: AsyncIterable<string>, { byName }: Definition): AsyncGenerator<ImportRow> {
  let rest = ''
  let row = 0
  const read = (line: string): ImportRow | undefined => {
    row++
    const trimmed = line.replace(/^\uFEFF/, '').trim()
    if (trimmed === '') return undefined
    try {
      const parsed: unknown = JSON.parse(trimmed)
      if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
        return { row, data: {}, fault: 'is not an object' }
      const { id, ...data } = parsed as RecordData
      // What our own export adds is no field.
      const fields = Object.entries(data).filter(([name]) => byName.has(name) || !name.startsWith('$'))
      return { row, data: Object.fromEntries(fields), ...(typeof id === 'string' ? { id } : {}) }
    } catch {
      return { row, data: {}, fault: 'is not JSON' }
    }
  }
  for await (const chunk of text) {
    rest += chunk
    if (rest.length > ROW_BYTES * 2 && !rest.includes('\n')) throw rowTooLong(row + 1)
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const found = read(line)
      if (found) yield found
    }
  }
  const found = read(rest)
  if (found) yield found
}

function columnOf({ fields }: Definition, header: string): CollectionField | 'id' | undefined {
  const wanted = header.trim().toLowerCase()
  if (wanted === 'id') return 'id'
  return (
    fields.find(({ name }) => name.toLowerCase() === wanted) ??
    fields.find(({ title }) => [title.en.toLowerCase(), title['zh-CN'].toLowerCase()].includes(wanted))
  )
}

/** Text of a file: UTF-8, or GB18030 as Chinese spreadsheets save it. */
async function* decoded(file: string): AsyncGenerator<string> {
  const decoder = new TextDecoder(isUtf8(await firstBytes(file)) ? 'utf-8' : 'gb18030')
  // By its path: whoever stops reading in the middle leaves nothing open that nobody closes.
  for await (const chunk of createReadStream(file)) yield decoder.decode(chunk as Buffer, { stream: true })
  yield decoder.decode()
}

async function firstBytes(file: string): Promise<Buffer> {
  await using handle = await open(file)
  const first = Buffer.alloc(SNIFFED_BYTES)
  const { bytesRead } = await handle.read(first, 0, SNIFFED_BYTES, 0)
  return first.subarray(0, bytesRead)
}

function isUtf8(bytes: Buffer): boolean {
  try {
    // A character that the end cuts in two is no reason to think otherwise.
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true })
    return true
  } catch {
    return false
  }
}

function noColumns({ id, fields }: Definition, headers: string[]) {
  return userError('E_IMPORT_COLUMNS', `No column of the file is a field of "${id}"`, {
    details: { headers: headers.slice(0, 20), fields: fields.map(({ name }) => name) },
    hint: 'The first row must name fields, as an export does.',
  })
}

function rowTooLong(row: number) {
  return userError('E_IMPORT_ROW', `Row ${row} is longer than ${ROW_BYTES} characters`, { details: { row } })
}
