import { createWriteStream } from 'node:fs'
import { rename } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { userError } from '@huitou/plugin-api'
import { csvRows, type TableRows } from './csv-rows.ts'
import { findDelimiter } from './delimiter.ts'
import { toDiskError } from './file-errors.ts'
import { fileKind, HEAD_BYTES } from './file-kind.ts'
import { htmlRows } from './html-rows.ts'
import type { ImportLimits } from './limits.ts'
import { asUtf8, findEncoding, type TextEncoding } from './text-encoding.ts'
import { type Archive, gunzippedBytes, type OnRead, openArchive, plainBytes } from './unpack.ts'
import { sheetRows } from './xlsx-rows.ts'
import { readWorkbook, type Workbook } from './xlsx-workbook.ts'

/** How to read the rows of a stored file; found once, then kept with the import. */
export type TableFormat =
  | { kind: 'xlsx'; sheet: string; sheetName: string }
  | { kind: 'csv'; packing: Packing; encoding: TextEncoding; delimiter: string }
  | { kind: 'html'; packing: Packing; encoding: TextEncoding }

/** How the text is packed: as it is, by gzip, or as the only table in an archive. */
export type Packing = 'none' | 'gzip' | { member: string }

export interface Table {
  rows: TableRows
  close(): void
}

/** Opens the rows of a file whose format is known. Close it, also after a failure. */
export async function openTable(
  path: string,
  format: TableFormat,
  options: { limits: ImportLimits; onRead?: OnRead },
): Promise<Table> {
  const { limits, onRead } = options
  if (format.kind === 'xlsx') {
    const archive = await openArchive(path, limits)
    try {
      const workbook = await readWorkbook(archive, limits)
      return {
        rows: sheetRows({ archive, workbook, path: format.sheet, limits, onRead }),
        close: () => archive.close(),
      }
    } catch (error) {
      archive.close()
      throw error
    }
  }
  const { open, close } = await openText(path, format.packing, options)
  const text = asUtf8(open(), format.encoding)
  return {
    rows:
      format.kind === 'csv' ? csvRows(text, { delimiter: format.delimiter, limits }) : htmlRows(text, limits),
    close,
  }
}

/** Ways to read a file: one, or one for each sheet of a workbook. `rows` opens each of them for a look. */
export async function findFormats(
  path: string,
  limits: ImportLimits,
  look: (format: TableFormat, rows: TableRows) => Promise<void>,
): Promise<void> {
  let kind = fileKind(await headOf(plainBytes(path)))
  let packing: Packing = 'none'
  if (kind === 'gzip') {
    kind = fileKind(await headOf(gunzippedBytes(path, limits)))
    if (kind === 'gzip')
      throw userError('E_FILE_PACKED_TWICE', 'The file is packed twice', { hint: 'Unpack it once.' })
    if (kind === 'zip') await unpackInPlace(path, limits)
    else packing = 'gzip'
  }
  if (kind === 'zip') {
    const archive = await openArchive(path, limits)
    try {
      const member = textMember(archive)
      if (member === undefined) {
        await lookAtSheets({ archive, workbook: await readWorkbook(archive, limits), limits }, look)
        return
      }
      packing = { member }
      kind = fileKind(await headOf(archive.read(member)))
    } finally {
      archive.close()
    }
  }
  const format = await textFormat(path, { packing, kind: kind === 'html' ? 'html' : 'csv', limits })
  const table = await openTable(path, format, { limits })
  try {
    await look(format, table.rows)
  } finally {
    table.close()
  }
}

async function lookAtSheets(
  { archive, workbook, limits }: { archive: Archive; workbook: Workbook; limits: ImportLimits },
  look: (format: TableFormat, rows: TableRows) => Promise<void>,
): Promise<void> {
  for (const { name, path } of workbook.sheets.slice(0, limits.sheets)) {
    await look({ kind: 'xlsx', sheet: path, sheetName: name }, sheetRows({ archive, workbook, path, limits }))
  }
}

async function textFormat(
  path: string,
  { packing, kind, limits }: { packing: Packing; kind: 'html' | 'csv'; limits: ImportLimits },
): Promise<TableFormat> {
  const { open, close } = await openText(path, packing, { limits })
  try {
    const encoding = await findEncoding(open)
    if (kind === 'html') return { kind, packing, encoding }
    const head = await headOf(asUtf8(open(), encoding), 256 * 1_024)
    return { kind, packing, encoding, delimiter: findDelimiter(head.toString('utf8').replace(/^\uFEFF/, '')) }
  } finally {
    close()
  }
}

async function openText(
  path: string,
  packing: Packing,
  { limits, onRead }: { limits: ImportLimits; onRead?: OnRead },
) {
  if (packing === 'none') return { open: () => plainBytes(path, onRead), close: () => {} }
  if (packing === 'gzip') return { open: () => gunzippedBytes(path, limits, onRead), close: () => {} }
  const archive = await openArchive(path, limits)
  return { open: () => archive.read(packing.member, onRead), close: () => archive.close() }
}

/** The one table of text in an archive that is no workbook; shops' back ends pack their exports like that. */
function textMember(archive: Archive): string | undefined {
  if (archive.has('xl/workbook.xml') || archive.has('[Content_Types].xml')) return undefined
  const tables = archive.names.filter(
    (name) => /\.(csv|tsv|txt)$/i.test(name) && !/(^|\/)(__MACOSX|\.)/.test(name),
  )
  if (tables.length > 1) {
    throw userError('E_FILE_ARCHIVE', `The archive holds ${tables.length} tables`, {
      hint: 'Unpack it and import them one by one.',
      details: { tables: tables.length },
    })
  }
  return tables[0]
}

async function headOf(bytes: AsyncGenerator<Buffer>, length: number = HEAD_BYTES): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of bytes) {
    chunks.push(chunk)
    size += chunk.length
    if (size >= length) break
  }
  return Buffer.concat(chunks).subarray(0, length)
}

/** A workbook is read at many places at once, which a gzip stream does not allow. */
async function unpackInPlace(path: string, limits: ImportLimits): Promise<void> {
  const unpacked = `${path}.unpacked`
  try {
    await pipeline(Readable.from(gunzippedBytes(path, limits)), createWriteStream(unpacked, { mode: 0o600 }))
    await rename(unpacked, path)
  } catch (error) {
    throw toDiskError(error)
  }
}
