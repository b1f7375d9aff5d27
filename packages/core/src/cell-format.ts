import type { Brand } from './settings/brand.ts'
import type { Cell } from './spreadsheet.ts'

/** What is needed to write a value for people. */
export interface FormattedColumn {
  type: string
  options?: readonly { value: string; title: { en: string; 'zh-CN': string } }[] | null
}

export type CellFormatter = (value: string | number | null, column: FormattedColumn) => Cell

/**
 * Turns stored values into what a reader of a spreadsheet expects: money in whole units, times in the brand's
 * zone, labels by their titles. Numbers stay numbers.
 */
export function createFormatter(
  { currency, timeZone }: Pick<Brand, 'currency' | 'timeZone'>,
  locale: 'en' | 'zh-CN',
): CellFormatter {
  const digits =
    new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2
  const times = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' })
  const yes = locale === 'zh-CN' ? ['否', '是'] : ['no', 'yes']
  return (value, { type, options }) => {
    if (value === null) return null
    if (type === 'money' && typeof value === 'number') return Number((value / 10 ** digits).toFixed(digits))
    if (type === 'time' && typeof value === 'number') return times.format(value)
    if (type === 'boolean') return yes[Number(value)] ?? value
    return options?.find((option) => option.value === value)?.title[locale] ?? value
  }
}
