import { maskIdentifier } from '../people/masking.ts'
import type { Here } from './here.ts'

/** Markup that may go out as it is; everything else is escaped in a field of HTML. */
export class SafeHtml {
  readonly html: string

  constructor(html: string) {
    this.html = html
  }
}

export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"'`]/g, (one) => ENTITIES[one] as string)
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
}

/** A value as it stands in a text. Lists are told one after the other; what has parts cannot be told. */
export function textOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return String(value)
  if (value instanceof SafeHtml) return value.html
  if (Array.isArray(value)) return value.map(textOf).join(', ')
  throw new Error('this value has parts; name one of them, for instance event.address.city')
}

/** Filters of the shop's own, by name. `here` is where the text is read. */
export const shopFilters: Record<string, (here: Here, value: unknown, ...options: unknown[]) => unknown> = {
  /** Minor units, as columns of money hold them. */
  money: (here, value, currency) => formatMoney(here, numberOf(value), { currency, minor: true }),
  /** A decimal amount, as events carry it. */
  price: (here, value, currency) => formatMoney(here, numberOf(value), { currency, minor: false }),
  number: (here, value, digits) => formatNumber(here, numberOf(value), digits),
  date: (here, value, format) => formatDate(here, value, typeof format === 'string' ? format : 'date'),
  days_since: (here, value) => daysBetween(here, value, here.now),
  days_until: (here, value) => -daysBetween(here, value, here.now),
  mask_phone: (_here, value) => maskIdentifier({ kind: 'phone', value: textOf(value) }),
  mask_email: (_here, value) => maskIdentifier({ kind: 'email', value: textOf(value) }),
  mask_name: (_here, value) => maskName(textOf(value)),
}

const numberFormats = new Map<string, Intl.NumberFormat>()
const moneyFormats = new Map<string, { format: Intl.NumberFormat; unit: number }>()
const dateFormats = new Map<string, Intl.DateTimeFormat>()
/** Locales and zones come from customers; what is kept for them has an end. */
const FORMATS_KEPT = 500

/** What `make` makes for `key`, made once. */
function keep<T>(cache: Map<string, T>, key: string, make: () => T): T {
  const known = cache.get(key)
  if (known !== undefined) return known
  const made = make()
  if (cache.size >= FORMATS_KEPT) cache.clear()
  cache.set(key, made)
  return made
}

function formatMoney(
  here: Here,
  amount: number,
  { currency, minor }: { currency: unknown; minor: boolean },
): string {
  const code = typeof currency === 'string' && currency !== '' ? currency.toUpperCase() : here.currency
  if (!/^[A-Z]{3}$/.test(code)) throw new Error(`"${code}" is no currency`)
  const { format, unit } = keep(moneyFormats, `${here.locale} ${code}`, () => {
    const made = new Intl.NumberFormat(here.locale, {
      style: 'currency',
      currency: code,
      currencyDisplay: 'narrowSymbol',
    })
    return { format: made, unit: 10 ** (made.resolvedOptions().maximumFractionDigits ?? 2) }
  })
  return format.format(minor ? amount / unit : amount)
}

function formatNumber(here: Here, value: number, digits: unknown): string {
  const places = typeof digits === 'number' ? Math.min(10, Math.max(0, Math.trunc(digits))) : undefined
  const format = keep(
    numberFormats,
    `${here.locale} ${places ?? ''}`,
    () =>
      new Intl.NumberFormat(
        here.locale,
        places === undefined ? {} : { minimumFractionDigits: places, maximumFractionDigits: places },
      ),
  )
  return format.format(value)
}

function numberOf(value: unknown): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof number === 'number' && Number.isFinite(number)) return number
  throw new Error(`"${textOf(value)}" is no number`)
}

/** A moment in the brand's zone. A day without a time of day is that day everywhere: birthdays do not move. */
function momentOf(here: Here, value: unknown): Temporal.ZonedDateTime {
  if (value === 'now' || value === 'today') return zoned(here.now, here.timeZone)
  if (typeof value === 'number' && Number.isFinite(value)) return zoned(value, here.timeZone)
  if (typeof value === 'string') {
    if (/^\d{4}-\d{2}-\d{2}$/.test(value))
      return Temporal.PlainDate.from(value).toZonedDateTime({ timeZone: here.timeZone })
    const ms = /^\d{11,}$/.test(value) ? Number(value) : Date.parse(value)
    if (Number.isFinite(ms)) return zoned(ms, here.timeZone)
  }
  throw new Error(`"${textOf(value)}" is no date`)
}

function zoned(ms: number, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(Math.round(ms)).toZonedDateTimeISO(timeZone)
}

function daysBetween(here: Here, value: unknown, now: number): number {
  const day = momentOf(here, value).toPlainDate()
  return day.until(zoned(now, here.timeZone).toPlainDate(), { largestUnit: 'days' }).days
}

const STYLES: Record<string, Intl.DateTimeFormatOptions> = {
  date: { year: 'numeric', month: 'long', day: 'numeric' },
  short: { month: 'long', day: 'numeric' },
  weekday: { weekday: 'long' },
  time: { hour: '2-digit', minute: '2-digit', hour12: false },
  datetime: {
    year: 'numeric',
    month: 'long',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hour12: false,
  },
}

function formatDate(here: Here, value: unknown, format: string): string {
  const moment = momentOf(here, value)
  if (format.includes('%')) return strftime(here, moment, format)
  const style = STYLES[format]
  if (!style)
    throw new Error(
      `"${format}" is no way to write a date; use ${Object.keys(STYLES).join(', ')} or %Y-%m-%d`,
    )
  return dateFormat(here, style).format(moment.epochMilliseconds)
}

function dateFormat(here: Here, style: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${here.locale} ${here.timeZone} ${JSON.stringify(style)}`
  return keep(
    dateFormats,
    key,
    () => new Intl.DateTimeFormat(here.locale, { ...style, timeZone: here.timeZone }),
  )
}

/** The letters of strftime that shops use. An unknown one is a mistake, not an empty place. */
function strftime(here: Here, moment: Temporal.ZonedDateTime, format: string): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const named = (style: Intl.DateTimeFormatOptions) =>
    dateFormat(here, style).format(moment.epochMilliseconds)
  return format.replaceAll(/%(-?)(.)/g, (_, plain: string, letter: string) => {
    const pad = (value: number) => (plain ? String(value) : two(value))
    switch (letter) {
      case 'Y':
        return String(moment.year)
      case 'y':
        return two(moment.year % 100)
      case 'm':
        return pad(moment.month)
      case 'd':
        return pad(moment.day)
      case 'e':
        return String(moment.day)
      case 'H':
        return pad(moment.hour)
      case 'I':
        return pad(moment.hour % 12 || 12)
      case 'M':
        return pad(moment.minute)
      case 'S':
        return pad(moment.second)
      case 'B':
        return named({ month: 'long' })
      case 'b':
        return named({ month: 'short' })
      case 'A':
        return named({ weekday: 'long' })
      case 'a':
        return named({ weekday: 'short' })
      case 'F':
        return moment.toPlainDate().toString()
      case '%':
        return '%'
      default:
        throw new Error(`%${letter} is no part of a date`)
    }
  })
}

/** 王小明 → 王**, Mary → M***. */
function maskName(name: string): string {
  const [first = '', ...rest] = name
  return rest.length === 0 ? '*' : `${first}${'*'.repeat(Math.min(rest.length, 3))}`
}
