import type { Mapping, ProblemChoice, RowProblem, SourceRow, Texts } from '@huitou/plugin-api'
import type { ImportLimits } from './limits.ts'

const LEAVE_OUT = { en: 'Leave the row out', 'zh-CN': '跳过该行' }

/** What to do with rows of a problem: left out, unless somebody chose to mend them. */
function choices(code: string, mended: Texts): ProblemChoice[] {
  return [
    { title: LEAVE_OUT, options: { [code]: 'skipped' } },
    { title: mended, options: { [code]: 'mended' } },
  ]
}

const CUT_CHOICES = choices('E_ROW_CUT', { en: 'Import it as it stands', 'zh-CN': '按现有内容导入' })
const WIDE_CHOICES = choices('E_ROW_TOO_MANY_CELLS', {
  en: 'Import without the cells beyond the headings',
  'zh-CN': '忽略多出的单元格后导入',
})
const LONG_CHOICES = choices('E_ROW_CELL_TOO_LONG', {
  en: 'Import with the cell shortened',
  'zh-CN': '截短单元格后导入',
})

export interface RowRules {
  /** Number of headings. */
  columns: number
  limits: ImportLimits
  /** Of the mapping: what somebody chose to do about each kind of problem. */
  options: Mapping['options']
}

/**
 * Makes the row as wide as the headings, or says why it cannot be. After a problem whose outcome is `mended` the row
 * can be imported; after any other it cannot.
 */
export function fitRow(
  { row, cells }: SourceRow,
  { columns, limits, options }: RowRules,
): RowProblem | undefined {
  while (cells.length > columns && cells[cells.length - 1]!.trim() === '') cells.pop()
  let problem: RowProblem | undefined
  if (cells.length > columns) {
    problem = {
      row,
      code: 'E_ROW_TOO_MANY_CELLS',
      message: {
        en: `The row has ${cells.length} cells, the headings are ${columns}: a separator inside a cell is not quoted`,
        'zh-CN': `该行有 ${cells.length} 个单元格，表头只有 ${columns} 列：单元格里的分隔符没有加引号`,
      },
      value: cells[columns]!.slice(0, 100),
      outcome: outcomeOf('E_ROW_TOO_MANY_CELLS', options),
      choices: WIDE_CHOICES,
    }
    if (problem.outcome === 'skipped') return problem
    cells.length = columns
  }
  while (cells.length < columns) cells.push('')
  return shorten({ row, cells }, { columns, limits, options }) ?? problem
}

function shorten({ row, cells }: SourceRow, { limits, options }: RowRules): RowProblem | undefined {
  const long = cells.find((cell) => cell.length > limits.cellChars)
  if (long === undefined) return undefined
  const outcome = outcomeOf('E_ROW_CELL_TOO_LONG', options)
  if (outcome === 'mended') {
    for (const [position, cell] of cells.entries()) cells[position] = cell.slice(0, limits.cellChars)
  }
  return {
    row,
    code: 'E_ROW_CELL_TOO_LONG',
    message: {
      en: `A cell has more than ${limits.cellChars} characters`,
      'zh-CN': `有单元格超过 ${limits.cellChars} 个字符`,
    },
    value: long.slice(0, 100),
    outcome,
    choices: LONG_CHOICES,
  }
}

/** The row that a file which was cut off ends with. */
export function cutRow({ row, cells }: SourceRow, { columns, options }: RowRules): RowProblem {
  return {
    row,
    code: 'E_ROW_CUT',
    message: {
      en: `The last row has ${cells.length} of ${columns} cells and no end: the file seems to have been cut off`,
      'zh-CN': `最后一行只有 ${cells.length} 个单元格（应有 ${columns} 个）且没有换行：文件可能不完整`,
    },
    outcome: outcomeOf('E_ROW_CUT', options),
    choices: CUT_CHOICES,
  }
}

/** Far more rows in one group than belong together anywhere. */
export function oversizedGroup(
  { key, rows }: { key: string; rows: number },
  limit: number,
): Omit<RowProblem, 'row'> {
  return {
    code: 'E_ROW_GROUP_TOO_LARGE',
    message: {
      en: `${rows} rows belong together, ${limit} can: probably the wrong column was chosen`,
      'zh-CN': `有 ${rows} 行被归到一起（最多 ${limit} 行）：很可能选错了列`,
    },
    value: key.slice(0, 100),
    outcome: 'skipped',
  }
}

/** Text in every language: what a source says in one only is shown as it is. */
export function toTexts(text: string | Texts): Texts {
  return typeof text === 'string' ? { en: text, 'zh-CN': text } : text
}

function outcomeOf(code: string, options: Mapping['options']): RowProblem['outcome'] {
  return options[code] === 'mended' ? 'mended' : 'skipped'
}
