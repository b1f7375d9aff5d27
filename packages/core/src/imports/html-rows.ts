import type { SourceRow } from '@huitou/plugin-api'
import { Parser } from 'htmlparser2'
import type { TableRows } from './csv-rows.ts'
import { tooManyColumns } from './file-errors.ts'
import type { ImportLimits } from './limits.ts'

/** Rows of every table of an HTML page, which is what some shop systems write into a file named `.xls`. */
export function htmlRows(chunks: AsyncGenerator<Buffer>, limits: ImportLimits): TableRows {
  let open = false
  return {
    endsOpen: () => open,
    async *batches() {
      let rows: SourceRow[] = []
      let row = 0
      let cells: string[] | undefined
      let cell: string | undefined
      let span = 1
      const endCell = () => {
        if (cell === undefined || !cells) return
        cells.push(cell.replaceAll(/\s+/g, ' ').trim(), ...Array.from({ length: span - 1 }, () => ''))
        if (cells.length > limits.columns) throw tooManyColumns(cells.length, limits.columns)
        cell = undefined
      }
      const endRow = () => {
        endCell()
        if (cells?.some((text) => text !== '')) rows.push({ row, cells })
        cells = undefined
      }
      const parser = new Parser({
        onopentag(name, { colspan }) {
          if (name === 'tr') {
            endRow()
            row++
            cells = []
          } else if (name === 'td' || name === 'th') {
            endCell()
            span = Math.min(Math.max(1, Number(colspan) || 1), limits.columns)
            cell = ''
          } else if (name === 'br' && cell !== undefined) cell += ' '
        },
        ontext(text) {
          if (cell !== undefined && cell.length <= limits.cellChars) cell += text
        },
        onclosetag(name, isImplied) {
          if (isImplied) return
          if (name === 'td' || name === 'th') endCell()
          if (name === 'tr' || name === 'table') endRow()
        },
      })
      const decoder = new TextDecoder()
      for await (const chunk of chunks) {
        parser.write(decoder.decode(chunk, { stream: true }))
        if (rows.length > 0) yield rows
        rows = []
      }
      open = cells !== undefined
      endRow()
      if (rows.length > 0) yield rows
    },
  }
}
