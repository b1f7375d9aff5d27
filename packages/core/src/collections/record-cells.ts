import type { Brand } from '../settings/brand.ts'
import type { Cell } from '../spreadsheet.ts'
import type { CollectionField } from './definition.ts'
import type { RecordNames } from './record-names.ts'
import type { StoredRecord } from './record.ts'

type Locale = 'en' | 'zh-CN'

export interface CellFormat {
  locale: Locale
  timeZone: string
  /** Digits of the brand's minor unit. */
  digits: number
}

const YES = new Set(['true', 'yes', 'y', '1', '是', '真'])
const NO = new Set(['false', 'no', 'n', '0', '否', '假'])

export function cellFormat({ currency, timeZone }: Brand, locale: Locale): CellFormat {
  const { maximumFractionDigits } = new Intl.NumberFormat('en', {
    style: 'currency',
    currency,
  }).resolvedOptions()
  return { locale, timeZone, digits: maximumFractionDigits ?? 2 }
}

/** A value as a spreadsheet shows it to people. {@link parseCell} reads it back. */
export function formatCell(
  { name, kind, choices }: CollectionField,
  { data }: StoredRecord,
  { names, format }: { names: RecordNames; format: CellFormat },
): Cell {
  const value = data[name]
  if (value === undefined || value === null) return null
  switch (kind) {
    case 'money':
      return Number((Number(value) / 10 ** format.digits).toFixed(format.digits))
    case 'time':
      return zoned(Number(value), format)
    case 'datetime':
      return zoned(Date.parse(String(value)), format)
    case 'boolean':
      return (format.locale === 'zh-CN' ? ['否', '是'] : ['no', 'yes'])[Number(value === true)] ?? null
    case 'choice':
      return choices?.find((choice) => choice.value === value)?.title[format.locale] ?? String(value)
    case 'customer':
      return value as number
    case 'record':
      return names.records[name]?.[String(value)] ? String(value) : null
    case 'json':
      return Array.isArray(value) && value.every((each) => typeof each !== 'object')
        ? value.join(format.locale === 'zh-CN' ? '、' : ', ')
        : JSON.stringify(value)
    default:
      return value as string | number
  }
}

/** A cell as the value it stands for; what cannot be read stays as it is, for the schema to refuse. */
export function parseCell({ kind, choices }: CollectionField, cell: string, format: CellFormat): unknown {
  // Our own files put an apostrophe before what a spreadsheet would calculate.
  const text = cell.trim().replace(/^'(?=[=+\-@＝＋－＠])/, '')
  if (text === '') return undefined
  switch (kind) {
    case 'integer':
    case 'number':
      return toNumber(text) ?? text
    case 'money': {
      const amount = toNumber(text.replace(/^[¥￥$€£]\s*/, ''))
      return amount === undefined ? text : Math.round(amount * 10 ** format.digits)
    }
    case 'boolean':
      return YES.has(text.toLowerCase()) ? true : NO.has(text.toLowerCase()) ? false : text
    case 'date':
      return toDate(text)
    case 'datetime': {
      const time = toTime(text, format)
      return time === undefined ? text : new Date(time).toISOString()
    }
    case 'time':
      return toTime(text, format) ?? text
    case 'choice': {
      const named = choices?.find(
        ({ value, title }) =>
          value === text || title.en.toLowerCase() === text.toLowerCase() || title['zh-CN'] === text,
      )
      return named?.value ?? text
    }
    case 'json':
      return toStructure(text)
    default:
      return text
  }
}

function toNumber(text: string): number | undefined {
  const plain = text.normalize('NFKC').replaceAll(/[\s,_]/g, '')
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(plain) ? Number(plain) : undefined
}

function toDate(text: string): string {
  const [, year, month = '', day = ''] =
    /^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:\s.*)?$/.exec(text) ?? []
  return year === undefined ? text : `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`
}

/** A time without a zone is one in the brand's. */
function toTime(text: string, { timeZone }: CellFormat): number | undefined {
  if (/(?:z|[-+]\d\d:?\d\d)$/i.test(text)) {
    const time = Date.parse(text)
    return Number.isNaN(time) ? undefined : time
  }
  const [, day = '', clock = ''] =
    /^(\d{4}[-/.]\d{1,2}[-/.]\d{1,2})(?:[T\s]+(\d{1,2}:\d{2}(?::\d{2})?))?$/.exec(text) ?? []
  if (day === '') return undefined
  try {
    const local = `${toDate(day)}T${(clock || '00:00').padStart(clock.length > 5 ? 8 : 5, '0')}`
    return Temporal.PlainDateTime.from(local).toZonedDateTime(timeZone).epochMilliseconds
  } catch {
    return undefined
  }
}

function toStructure(text: string): unknown {
  if (/^[[{]/.test(text)) {
    try {
      return JSON.parse(text)
    } catch {
      return text
    }
  }
  return text
    .split(/[、;；|,，]/)
    .map((each) => each.trim())
    .filter(Boolean)
}

function zoned(time: number, { timeZone }: CellFormat): string | null {
  if (!Number.isFinite(time)) return null
  return new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' }).format(time)
}
