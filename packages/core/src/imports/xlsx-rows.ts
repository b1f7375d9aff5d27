import type { SourceRow } from '@huitou/plugin-api'
import type { TableRows } from './csv-rows.ts'
import { fileCut, tooManyColumns } from './file-errors.ts'
import type { ImportLimits } from './limits.ts'
import type { Archive, OnRead } from './unpack.ts'
import { numberText, serialDate } from './xlsx-formats.ts'
import { unescapeText, type Workbook, xmlParser } from './xlsx-workbook.ts'

export interface SheetOptions {
  archive: Archive
  workbook: Workbook
  path: string
  limits: ImportLimits
  onRead?: OnRead
}

/** Rows of one sheet as text: dates as `2026-11-21 10:24:00`, numbers as a spreadsheet shows them, in flat memory. */
export function sheetRows({ archive, workbook, path, limits, onRead }: SheetOptions): TableRows {
  return {
    endsOpen: () => false,
    async *batches() {
      const reader = new SheetReader(workbook, limits)
      const decoder = new TextDecoder()
      for await (const chunk of archive.read(path, onRead)) {
        const rows = reader.write(decoder.decode(chunk, { stream: true }))
        if (rows.length > 0) yield rows
      }
      const rows = reader.end()
      if (rows.length > 0) yield rows
    },
  }
}

/** Turns the text of a sheet's XML into rows as it comes in. */
class SheetReader {
  readonly #workbook: Workbook
  readonly #limits: ImportLimits
  readonly #xml = xmlParser({
    onOpen: (name, attributes) => this.#open(name, attributes),
    onClose: (name) => this.#close(name),
    onText: (text) => {
      if (this.#inValue && this.#text.length <= this.#limits.cellChars) this.#text += text
    },
  })
  #rows: SourceRow[] = []
  #row = 0
  #column = -1
  #cells: string[] = []
  #type = 'n'
  #style = 0
  #inValue = false
  #phonetic = false
  #text = ''

  constructor(workbook: Workbook, limits: ImportLimits) {
    this.#workbook = workbook
    this.#limits = limits
  }

  write(xml: string): SourceRow[] {
    this.#xml.write(xml)
    const rows = this.#rows
    this.#rows = []
    return rows
  }

  end(): SourceRow[] {
    const rows = this.write('')
    if (!this.#xml.isWhole()) throw fileCut(`the sheet stops after row ${this.#row}`)
    return rows
  }

  #open(name: string, attributes: Record<string, string>): void {
    switch (name) {
      case 'row': {
        const given = Number(attributes['r'])
        this.#row = Number.isSafeInteger(given) && given > this.#row ? given : this.#row + 1
        this.#cells = []
        this.#column = -1
        break
      }
      case 'c':
        this.#column = attributes['r'] ? columnOf(attributes['r']) : this.#column + 1
        this.#type = attributes['t'] ?? 'n'
        this.#style = Number(attributes['s'] ?? 0)
        this.#text = ''
        break
      case 'rPh':
        this.#phonetic = true
        break
      case 'v':
      case 't':
        this.#inValue = !this.#phonetic
    }
  }

  #close(name: string): void {
    switch (name) {
      case 'v':
      case 't':
        this.#inValue = false
        break
      case 'rPh':
        this.#phonetic = false
        break
      case 'c':
        this.#put(this.#value())
        break
      case 'row':
        if (this.#cells.some((cell) => cell !== '')) this.#rows.push({ row: this.#row, cells: this.#cells })
    }
  }

  #put(value: string): void {
    if (value === '') return
    if (this.#column >= this.#limits.columns) throw tooManyColumns(this.#column + 1, this.#limits.columns)
    while (this.#cells.length < this.#column) this.#cells.push('')
    this.#cells[this.#column] = value
  }

  #value(): string {
    const text = this.#text
    switch (this.#type) {
      case 's':
        return text === '' ? '' : this.#workbook.strings.at(Number(text))
      case 'inlineStr':
      case 'str':
        return unescapeText(text)
      case 'b':
        return text === '1' ? 'TRUE' : text === '0' ? 'FALSE' : text
      case 'd':
        return text.replace('T', ' ').replace(/\.0+$/, '')
      case 'e':
        return text
      default: {
        const kind = this.#workbook.styles[this.#style] ?? 'number'
        if (text === '' || kind === 'number') return numberText(text)
        return serialDate(Number(text), kind, this.#workbook.date1904) ?? text
      }
    }
  }
}

/** 0-based column of a reference such as `AB12`. */
function columnOf(reference: string): number {
  let column = 0
  for (let index = 0; index < reference.length; index++) {
    const code = reference.charCodeAt(index) & ~32
    if (code < 65 || code > 90) break
    column = column * 26 + (code - 64)
  }
  return column - 1
}
