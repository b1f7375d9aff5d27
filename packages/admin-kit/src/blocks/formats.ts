import type { ColumnType } from '@huitou/plugin-api'

export interface FormatOptions {
  locale: string
  /** ISO currency of the brand; money arrives in its minor units. */
  currency: string
  /** The brand's zone: a day begins when it begins there, wherever the reader sits. */
  timeZone: string
  now?: () => number
}

export type ValueType = ColumnType | 'percent'

/** Numbers, money and times as a page writes them: true minus sign, en dash for nothing, spaces around digits. */
export interface Formats {
  readonly locale: string
  readonly currency: string
  readonly timeZone: string
  /** How many minor units make one unit of the currency. */
  readonly minorUnits: number
  value(value: unknown, type: ValueType): string
  number(value: number, digits?: number): string
  money(minor: number, digits?: number): string
  percent(share: number, digits?: number): string
  /** With a sign, for differences. */
  signed(value: number, type: ValueType): string
  /** For axes: 12k, 1.2 万. */
  short(value: number, type: ValueType): string
  /** `today`, `9 days ago`; a date once it is more than a month off. */
  ago(time: number): string
  /** `11-20`, with the year when it is not this one. */
  date(time: number): string
  /** `11 月 20 日`, `20 Nov`. */
  proseDate(time: number): string
  /** Heading of a day: `today`, `11 月 17 日 周二`. */
  dayHeading(time: number): string
  clock(time: number): string
  /** Everything down to the second, for hovering. */
  exact(time: number): string
  /** `2026-11-20` in the brand's zone; equal for two times of one business day. */
  isoDay(time: number): string
}

export const NOTHING = '–'

export function createFormats({ locale, currency, timeZone, now = Date.now }: FormatOptions): Formats {
  const minorDigits = new Intl.NumberFormat(locale, { style: 'currency', currency }).resolvedOptions()
    .maximumFractionDigits ?? 2
  const minorUnits = 10 ** minorDigits
  const tidy = (text: string) => withSpaces(text.replaceAll('-', '−'))
  const numberFormat = memo((key) => {
    const [kind, digits] = key.split(':') as [string, string]
    return new Intl.NumberFormat(locale, { ...styleOf(kind, currency), ...digitsOf(digits) })
  })
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit',
    hour: '2-digit', minute: '2-digit', second: '2-digit',
  })
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })
  const proseFormat = (withYear: boolean, weekday: boolean) =>
    new Intl.DateTimeFormat(locale === 'en' ? 'en-GB' : locale, {
      timeZone, month: locale.startsWith('zh') ? 'long' : 'short', day: 'numeric',
      ...(withYear ? { year: 'numeric' } : {}), ...(weekday ? { weekday: 'short' } : {}),
    })

  const fieldsOf = (time: number) => {
    const fields: Record<string, string> = {}
    for (const { type, value } of parts.formatToParts(time)) fields[type] = value
    return fields as { year: string; month: string; day: string; hour: string; minute: string; second: string }
  }
  const isoDay = (time: number) => {
    const { year, month, day } = fieldsOf(time)
    return `${year}-${month}-${day}`
  }
  const daysAgo = (time: number) => Math.round((Date.parse(isoDay(now())) - Date.parse(isoDay(time))) / 86_400_000)
  const isThisYear = (time: number) => isoDay(time).slice(0, 4) === isoDay(now()).slice(0, 4)

  const formats: Formats = {
    locale,
    currency,
    timeZone,
    minorUnits,
    isoDay,
    number: (value, digits) => tidy(numberFormat(`number:${digits ?? (Number.isInteger(value) ? 0 : '')}`).format(value)),
    money(minor, digits) {
      const value = minor / minorUnits
      return tidy(numberFormat(`money:${digits ?? (Number.isInteger(value) ? 0 : minorDigits)}`).format(value))
    },
    percent: (share, digits = 1) => tidy(numberFormat(`percent:${digits}`).format(share)),
    date(time) {
      const day = isoDay(time)
      return isThisYear(time) ? day.slice(5) : day
    },
    ago(time) {
      const days = daysAgo(time)
      return days >= 0 && days <= 30 ? tidy(relative.format(-days, 'day')) : formats.date(time)
    },
    proseDate: (time) => withSpaces(proseFormat(!isThisYear(time), false).format(time)),
    dayHeading(time) {
      const days = daysAgo(time)
      if (days === 0 || days === 1) return capital(relative.format(-days, 'day'))
      return withSpaces(proseFormat(!isThisYear(time), true).format(time).replace(/日(?=周|星)/u, '日 '))
    },
    clock(time) {
      const { hour, minute } = fieldsOf(time)
      return `${hour}:${minute}`
    },
    exact(time) {
      const { hour, minute, second } = fieldsOf(time)
      return `${isoDay(time)} ${hour}:${minute}:${second}`
    },
    signed(value, type) {
      const text = formats.value(Math.abs(value), type)
      if (value === 0) return text
      return `${value > 0 ? '+' : '−'}${text}`
    },
    short(value, type) {
      if (type === 'percent') return formats.percent(value, 0)
      if (type === 'time') return formats.date(value)
      const plain = type === 'money' ? value / minorUnits : value
      return tidy(numberFormat(`${type === 'money' ? 'moneyShort' : 'short'}:`).format(plain))
    },
    value(value, type) {
      if (value === null || value === undefined || value === '') return NOTHING
      if (typeof value === 'boolean') return value ? '✓' : NOTHING
      if (typeof value === 'string') return value
      if (typeof value !== 'number' || Number.isNaN(value)) return Array.isArray(value) ? value.join(', ') : String(value)
      if (type === 'money') return formats.money(value)
      if (type === 'percent') return formats.percent(value)
      if (type === 'time') return formats.ago(value)
      if (type === 'boolean') return value ? '✓' : NOTHING
      return formats.number(value)
    },
  }
  return formats
}

/** True for types whose figures stand right-aligned under each other. */
export function isFigure(type: ValueType): boolean {
  return type === 'number' || type === 'integer' || type === 'money' || type === 'percent'
}

/** Puts a space between Chinese characters and Latin letters or digits. */
export function withSpaces(text: string): string {
  return text.replace(/(\p{Script=Han})([\p{Nd}A-Za-z])/gu, '$1 $2').replace(/([\p{Nd}A-Za-z%])(\p{Script=Han})/gu, '$1 $2')
}

function styleOf(kind: string, currency: string): Intl.NumberFormatOptions {
  if (kind === 'percent') return { style: 'percent' }
  const money = { style: 'currency', currency, currencyDisplay: 'narrowSymbol' } as const
  if (kind === 'money') return money
  if (kind === 'short') return { notation: 'compact', maximumFractionDigits: 1 }
  if (kind === 'moneyShort') return { ...money, notation: 'compact', minimumFractionDigits: 0, maximumFractionDigits: 1 }
  return {}
}

function digitsOf(digits: string): Intl.NumberFormatOptions {
  if (digits === '') return {}
  return { minimumFractionDigits: Number(digits), maximumFractionDigits: Number(digits) }
}

function memo<T>(make: (key: string) => T): (key: string) => T {
  const made = new Map<string, T>()
  return (key) => {
    let value = made.get(key)
    if (value === undefined) made.set(key, (value = make(key)))
    return value
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
