import type { RowProblem, SourceRow } from '@huitou/plugin-api'
import type { Brand } from '../settings/brand.ts'
import type { ImportLimits } from './limits.ts'

type Locale = Brand['locale']

/** What can be wrong with a row before any source has seen it, in the words of the brand's language. */
const TEXTS = {
  E_ROW_CUT: {
    en: (cells: number, columns: number) =>
      `The last row has ${cells} of ${columns} cells and no end: the file seems to have been cut off`,
    'zh-CN': (cells: number, columns: number) =>
      `最后一行只有 ${cells} 个单元格（应有 ${columns} 个）且没有换行：文件可能不完整`,
  },
  E_ROW_TOO_MANY_CELLS: {
    en: (cells: number, columns: number) =>
      `The row has ${cells} cells, the headings are ${columns}: a separator inside a cell is not quoted`,
    'zh-CN': (cells: number, columns: number) =>
      `该行有 ${cells} 个单元格，表头只有 ${columns} 列：单元格里的分隔符没有加引号`,
  },
  E_ROW_CELL_TOO_LONG: {
    en: (limit: number) => `A cell has more than ${limit} characters`,
    'zh-CN': (limit: number) => `有单元格超过 ${limit} 个字符`,
  },
  E_ROW_GROUP_TOO_LARGE: {
    en: (rows: number, limit: number) =>
      `${rows} rows belong together, ${limit} can: probably the wrong column was chosen`,
    'zh-CN': (rows: number, limit: number) => `有 ${rows} 行被归到一起（最多 ${limit} 行）：很可能选错了列`,
  },
}

/** The row that a file which was cut off ends with. */
export function cutRow({ row, cells }: SourceRow, columns: number, locale: Locale): RowProblem {
  return {
    row,
    code: 'E_ROW_CUT',
    message: TEXTS.E_ROW_CUT[locale](cells.length, columns),
    outcome: 'skipped',
  }
}

/** Makes the row as wide as the headings, or says why it cannot be. */
export function fitRow(
  { row, cells }: SourceRow,
  columns: number,
  { limits, locale }: { limits: ImportLimits; locale: Locale },
): RowProblem | undefined {
  while (cells.length > columns && cells[cells.length - 1]!.trim() === '') cells.pop()
  if (cells.length > columns) {
    const message = TEXTS.E_ROW_TOO_MANY_CELLS[locale](cells.length, columns)
    return {
      row,
      code: 'E_ROW_TOO_MANY_CELLS',
      message,
      value: cells[columns]!.slice(0, 100),
      outcome: 'skipped',
    }
  }
  while (cells.length < columns) cells.push('')
  const long = cells.find((cell) => cell.length > limits.cellChars)
  if (long === undefined) return undefined
  return {
    row,
    code: 'E_ROW_CELL_TOO_LONG',
    message: TEXTS.E_ROW_CELL_TOO_LONG[locale](limits.cellChars),
    value: long.slice(0, 100),
    outcome: 'skipped',
  }
}

/** Far more rows in one group than belong together anywhere. */
export function oversizedGroup(
  group: { key: string; rows: number },
  limit: number,
  locale: Locale,
): Omit<RowProblem, 'row'> {
  const message = TEXTS.E_ROW_GROUP_TOO_LARGE[locale](group.rows, limit)
  return { code: 'E_ROW_GROUP_TOO_LARGE', message, value: group.key.slice(0, 100), outcome: 'skipped' }
}
