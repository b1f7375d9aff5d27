import { isAscii, isUtf8 } from 'node:buffer'
import { userError } from '@huitou/plugin-api'
import { fileCut, fileFormat } from './file-errors.ts'

export type TextEncoding = 'utf-8' | 'gb18030' | 'utf-16le' | 'utf-16be'

/** Opens the bytes from the start again. */
export type OpenBytes = () => AsyncGenerator<Buffer>

/** So many characters of several bytes each, all well-formed, do not happen in GB18030 text. */
const SURELY_UTF8 = 8

/**
 * Finds how the whole text is encoded: UTF-8 when every byte of it is, GB18030 otherwise (a superset of GBK and
 * GB2312, which Chinese shop back ends write), UTF-16 by its mark. Text that is none of these is refused with the
 * first row that cannot be read.
 */
export async function findEncoding(open: OpenBytes): Promise<TextEncoding> {
  const start = await firstBytes(open)
  if (start.length === 0) throw userError('E_FILE_EMPTY', 'The file is empty')
  const utf16 = findUtf16(start)
  if (utf16) return utf16
  const bad = await findBadUtf8(open)
  if (!bad) return 'utf-8'
  if (bad.atEnd) throw fileCut(`it ends in the middle of a character, in row ${bad.row}`)
  if (bad.surelyUtf8) throw wrongEncoding('UTF-8', bad.row)
  await checkGb18030(open)
  return 'gb18030'
}

/** The same text as UTF-8, without byte order mark and NUL characters. */
export async function* asUtf8(bytes: AsyncGenerator<Buffer>, encoding: TextEncoding): AsyncGenerator<Buffer> {
  if (encoding === 'utf-8') {
    for await (const chunk of bytes)
      yield chunk.includes(0) ? Buffer.from(chunk.filter((byte) => byte !== 0)) : chunk
    return
  }
  const decoder = new TextDecoder(encoding)
  for await (const chunk of bytes)
    yield Buffer.from(decoder.decode(chunk, { stream: true }).replaceAll('\0', ''))
  yield Buffer.from(decoder.decode())
}

async function firstBytes(open: OpenBytes): Promise<Buffer> {
  for await (const chunk of open()) return chunk
  return Buffer.alloc(0)
}

function findUtf16(start: Buffer): TextEncoding | undefined {
  if (start[0] === 0xff && start[1] === 0xfe) return 'utf-16le'
  if (start[0] === 0xfe && start[1] === 0xff) return 'utf-16be'
  const zeros = [0, 0]
  for (const [index, byte] of start.subarray(0, 2_000).entries()) if (byte === 0) zeros[index % 2]!++
  const [even, odd] = zeros as [number, number]
  const length = Math.min(start.length, 2_000)
  if (even + odd <= length / 10) return undefined
  if (odd > length / 4 && even === 0) return 'utf-16le'
  if (even > length / 4 && odd === 0) return 'utf-16be'
  throw fileFormat('a binary file')
}

interface BadUtf8 {
  row: number
  atEnd: boolean
  surelyUtf8: boolean
}

async function findBadUtf8(open: OpenBytes): Promise<BadUtf8 | undefined> {
  let rows = 1
  let seen = 0
  let rest = Buffer.alloc(0)
  let marked: boolean | undefined
  for await (const chunk of open()) {
    marked ??= chunk.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf]))
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
    const end = completeLength(bytes)
    const complete = bytes.subarray(0, end)
    if (!isUtf8(complete)) {
      const good = complete.subarray(0, validLength(complete))
      return {
        row: rows + countLines(good),
        atEnd: false,
        surelyUtf8: marked || seen + multibytes(good) >= SURELY_UTF8,
      }
    }
    rows += countLines(complete)
    if (seen < SURELY_UTF8 && !isAscii(complete)) seen += multibytes(complete)
    rest = Buffer.from(bytes.subarray(end))
  }
  if (rest.length === 0) return undefined
  const surelyUtf8 = Boolean(marked) || seen >= SURELY_UTF8
  return { row: rows, atEnd: surelyUtf8, surelyUtf8 }
}

async function checkGb18030(open: OpenBytes): Promise<void> {
  const decoder = new TextDecoder('gb18030', { fatal: true })
  let rows = 1
  for await (const chunk of open()) {
    try {
      decoder.decode(chunk, { stream: true })
    } catch {
      throw wrongEncoding('UTF-8 or GB18030', rows + (await badLine(chunk)))
    }
    rows += countLines(chunk)
  }
  try {
    decoder.decode()
  } catch {
    throw fileCut(`it ends in the middle of a character, in row ${rows}`)
  }
}

/** Line of the chunk, 0-based, whose text is not GB18030; a character may have begun in the chunk before. */
async function badLine(chunk: Buffer): Promise<number> {
  const decoder = new TextDecoder('gb18030', { fatal: true })
  const lines = chunk.toString('latin1').split('\n')
  const index = lines.slice(1).findIndex((line) => {
    try {
      decoder.decode(Buffer.from(line, 'latin1'))
      return false
    } catch {
      return true
    }
  })
  return index < 0 || index === lines.length - 2 ? Math.max(0, index) : index + 1
}

function wrongEncoding(expected: string, row: number) {
  return userError('E_FILE_ENCODING', `Row ${row} cannot be read as ${expected} text`, {
    hint: 'Open the file in a spreadsheet and save it as "CSV UTF-8", then import that copy.',
    details: { row },
  })
}

/** Length without a character at the end of which only the beginning is there. */
function completeLength(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!
    if (byte < 0x80) return bytes.length
    if (byte >= 0xc0) {
      const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
      return needs > back ? bytes.length - back : bytes.length
    }
  }
  return bytes.length
}

/** Length of the longest beginning that is UTF-8. */
function validLength(bytes: Buffer): number {
  let good = 0
  let bad = bytes.length
  while (good < bad) {
    const middle = Math.ceil((good + bad) / 2)
    const part = bytes.subarray(0, middle)
    if (isUtf8(part.subarray(0, completeLength(part)))) good = middle
    else bad = middle - 1
  }
  return good
}

function multibytes(bytes: Buffer): number {
  let count = 0
  for (const byte of bytes) {
    if (byte >= 0xc0) count++
    if (count >= SURELY_UTF8) break
  }
  return count
}

function countLines(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) count++
  return count
}
