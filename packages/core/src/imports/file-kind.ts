import { userError } from '@huitou/plugin-api'
import { fileFormat } from './file-errors.ts'

/** What the first bytes of a file say it is. */
export type FileKind = 'gzip' | 'zip' | 'html' | 'text'

/** Begins of files that people upload by mistake. */
const OTHERS: [signature: string, what: string][] = [
  ['25504446', 'a PDF'],
  ['89504e47', 'a picture'],
  ['ffd8ff', 'a picture'],
  ['526172211a07', 'a RAR archive'],
  ['377abcaf271c', 'a 7z archive'],
  ['53514c69746520666f726d6174', 'a SQLite database'],
]

/** Bytes to give to {@link fileKind}: enough to find the mark of a protected workbook. */
export const HEAD_BYTES = 1 << 20

/** Tells the kind of a file by its first bytes, never by its name. Kinds that cannot be read are refused with a way out. */
export function fileKind(head: Buffer): FileKind {
  if (head.length === 0) {
    throw userError('E_FILE_EMPTY', 'The file is empty', {
      hint: 'Export it again; nothing was written to it.',
    })
  }
  const hex = head.subarray(0, 16).toString('hex')
  if (hex.startsWith('1f8b')) return 'gzip'
  if (hex.startsWith('504b0304') || hex.startsWith('504b0506')) return 'zip'
  if (hex.startsWith('d0cf11e0a1b11ae1')) throw oldWorkbook(head)
  for (const [signature, what] of OTHERS) if (hex.startsWith(signature)) throw fileFormat(what)
  const text = head
    .subarray(0, 4_096)
    .toString('latin1')
    .replace(/^(ÿþ|þÿ|ï»¿)/, '')
    .replaceAll('\0', '')
    .trimStart()
    .toLowerCase()
  if (/^<\?xml[^>]*>\s*(<\?mso-application|<workbook)/.test(text)) {
    throw userError('E_FILE_XML_SHEET', 'This is an Excel 2003 XML table, which cannot be read', {
      hint: 'Open it in a spreadsheet and save it as .xlsx or as CSV (UTF-8).',
      status: 415,
    })
  }
  return /^(<!doctype html|<html|<table|<meta|<head)/.test(text) ? 'html' : 'text'
}

/** The old binary container holds .xls files, and every .xlsx that is protected by a password. */
function oldWorkbook(head: Buffer) {
  if (head.includes(Buffer.from('EncryptedPackage', 'utf16le'))) {
    return userError('E_FILE_ENCRYPTED', 'The workbook is protected by a password', {
      hint: 'Open it with the password, save a copy without one, and import the copy.',
    })
  }
  return userError('E_FILE_XLS', 'This is an old Excel file (.xls), which cannot be read', {
    hint: 'Open it in a spreadsheet and save it as .xlsx or as CSV (UTF-8).',
    status: 415,
  })
}
