import { userError } from '@huitou/plugin-api'
import { Parser } from 'htmlparser2'
import { fileDamaged } from './file-errors.ts'
import type { ImportLimits } from './limits.ts'
import type { Archive } from './unpack.ts'
import { type NumberKind, numberKind } from './xlsx-formats.ts'

/** What of a workbook is needed to read its sheets. Strings are the only part that grows with the file. */
export interface Workbook {
  sheets: { name: string; path: string }[]
  strings: StringTable
  /** Kind of number of each cell style. */
  styles: NumberKind[]
  date1904: boolean
}

const MAIN = 'xl/workbook.xml'

export async function readWorkbook(archive: Archive, limits: ImportLimits): Promise<Workbook> {
  if (!archive.has(MAIN)) throw noWorkbook(archive)
  const targets = new Map<string, string>()
  await readXml(archive, 'xl/_rels/workbook.xml.rels', {
    onOpen(name, { Id, Target = '' }) {
      if (name === 'Relationship' && Id)
        targets.set(Id, Target.startsWith('/') ? Target.slice(1) : `xl/${Target.replace(/^\.\//, '')}`)
    },
  })
  const sheets: Workbook['sheets'] = []
  let date1904 = false
  await readXml(archive, MAIN, {
    onOpen(name, attributes) {
      if (name === 'workbookPr') date1904 = /^(1|true)$/.test(attributes['date1904'] ?? '')
      if (name !== 'sheet') return
      const id = Object.entries(attributes).find(([key]) => key === 'id' || key.endsWith(':id'))?.[1]
      const path = targets.get(id ?? '')
      if (path && archive.has(path)) sheets.push({ name: attributes['name'] ?? '', path })
    },
  })
  if (sheets.length === 0) throw fileDamaged('the workbook has no sheets')
  return { sheets, styles: await readStyles(archive), strings: await readStrings(archive, limits), date1904 }
}

function noWorkbook(archive: Archive) {
  const kind = archive.has('xl/workbook.bin')
    ? 'a binary workbook (.xlsb)'
    : archive.has('content.xml')
      ? 'an OpenDocument table (.ods)'
      : archive.has('word/document.xml')
        ? 'a text document'
        : 'an archive without a table in it'
  return userError('E_FILE_FORMAT', `This is ${kind}, which cannot be read`, {
    hint: 'Save it as .xlsx or as CSV (UTF-8), or unpack it and import the file inside.',
    status: 415,
  })
}

async function readStyles(archive: Archive): Promise<NumberKind[]> {
  const codes = new Map<number, string>()
  const styles: NumberKind[] = []
  let inCells = false
  if (!archive.has('xl/styles.xml')) return styles
  await readXml(archive, 'xl/styles.xml', {
    onOpen(name, attributes) {
      if (name === 'numFmt') codes.set(Number(attributes['numFmtId']), attributes['formatCode'] ?? '')
      if (name === 'cellXfs') inCells = true
      if (name !== 'xf' || !inCells) return
      const id = Number(attributes['numFmtId'] ?? 0)
      styles.push(numberKind(id, codes.get(id)))
    },
    onClose(name) {
      if (name === 'cellXfs') inCells = false
    },
  })
  return styles
}

/** Strings that cells point to by number, kept outside the JavaScript heap as UTF-8. */
export class StringTable {
  #bytes = Buffer.alloc(64 * 1_024)
  #used = 0
  #ends = new Uint32Array(1_024)
  #count = 0
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  add(text: string): void {
    const size = Buffer.byteLength(text)
    if (this.#used + size + this.#count * 4 > this.#limit) {
      throw userError(
        'E_FILE_TOO_MANY_STRINGS',
        `The workbook holds more than ${Math.round(this.#limit / 1_024 ** 2)} MB of different texts`,
        {
          hint: 'Save it as CSV (UTF-8); CSV files of any size can be imported.',
          status: 413,
        },
      )
    }
    if (this.#used + size > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(this.#bytes.length * 2, this.#used + size))
      this.#bytes.copy(larger, 0, 0, this.#used)
      this.#bytes = larger
    }
    if (this.#count === this.#ends.length) {
      const larger = new Uint32Array(this.#count * 2)
      larger.set(this.#ends)
      this.#ends = larger
    }
    this.#used += this.#bytes.write(text, this.#used)
    this.#ends[this.#count++] = this.#used
  }

  /** Empty for a number that the table does not have. */
  at(index: number): string {
    if (!(index >= 0 && index < this.#count)) return ''
    return this.#bytes.toString('utf8', index === 0 ? 0 : this.#ends[index - 1], this.#ends[index])
  }
}

async function readStrings(archive: Archive, limits: ImportLimits): Promise<StringTable> {
  const strings = new StringTable(limits.stringBytes)
  const path = archive.names.find((name) => name.toLowerCase() === 'xl/sharedstrings.xml')
  if (!path) return strings
  let text = ''
  let inText = false
  let phonetic = 0
  await readXml(archive, path, {
    onOpen(name) {
      if (name === 'si') text = ''
      if (name === 'rPh') phonetic++
      if (name === 't') inText = phonetic === 0
    },
    onClose(name) {
      if (name === 't') inText = false
      if (name === 'rPh') phonetic--
      if (name === 'si') strings.add(unescapeText(text))
    },
    onText(part) {
      // One over the limit is enough for the cell to be refused; the rest of a monstrous text is not kept.
      if (inText && text.length <= limits.cellChars) text += part
    },
  })
  return strings
}

/** Characters that XML cannot hold are written `_x000D_`. */
export function unescapeText(text: string): string {
  return text.includes('_x')
    ? text.replaceAll(/_x([0-9A-Fa-f]{4})_/g, (_, code: string) =>
        String.fromCharCode(Number.parseInt(code, 16)),
      )
    : text
}

interface XmlHandler {
  onOpen?(name: string, attributes: Record<string, string>): void
  onClose?(name: string): void
  onText?(text: string): void
}

/** Reads one member of the workbook to its end; a file that stops before its root element closes is refused. */
async function readXml(archive: Archive, path: string, handler: XmlHandler): Promise<void> {
  const parser = xmlParser(handler)
  const decoder = new TextDecoder()
  for await (const chunk of archive.read(path)) parser.write(decoder.decode(chunk, { stream: true }))
  parser.write(decoder.decode())
  if (!parser.isWhole()) throw fileDamaged(`"${path}" in it is incomplete`)
}

/** Streaming XML without namespaces. Document types and their entities are ignored. */
export function xmlParser(handler: XmlHandler) {
  let depth = 0
  let closed = false
  const parser = new Parser(
    {
      onopentag(name, attributes) {
        depth++
        handler.onOpen?.(localName(name), attributes)
      },
      onclosetag(name) {
        if (--depth === 0) closed = true
        handler.onClose?.(localName(name))
      },
      ontext: (text) => handler.onText?.(text),
    },
    { xmlMode: true, decodeEntities: true },
  )
  return { write: (text: string) => parser.write(text), isWhole: () => closed }
}

function localName(name: string): string {
  const colon = name.indexOf(':')
  return colon < 0 ? name : name.slice(colon + 1)
}
