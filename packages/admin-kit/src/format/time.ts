import { nothing } from './number.ts'
import { serverNow } from './server-time.ts'

export interface TimeStyle {
  locale: string
  /** IANA name; the brand's zone. */
  timeZone: string
}

const formats = new Map<string, Intl.DateTimeFormat>()

function intlDate(style: TimeStyle, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${style.locale}${style.timeZone}${JSON.stringify(options)}`
  let format = formats.get(key)
  if (!format) {
    format = new Intl.DateTimeFormat(style.locale, { timeZone: style.timeZone, hourCycle: 'h23', ...options })
    formats.set(key, format)
  }
  return format
}

/** Day in prose: `11 月 20 日` / `20 Nov`, with the year when it is not this one. */
export function formatDay(ms: number | null | undefined, style: TimeStyle, now = serverNow()): string {
  if (ms == null) return nothing
  const year = (at: number) => intlDate({ ...style, locale: 'en' }, { year: 'numeric' }).format(at)
  const options: Intl.DateTimeFormatOptions = {
    month: style.locale.startsWith('zh') ? 'long' : 'short',
    day: 'numeric',
  }
  if (year(ms) !== year(now)) options.year = 'numeric'
  const text = intlDate(style, options).format(ms)
  return style.locale.startsWith('zh') ? text.replaceAll(/(\d+)(年|月|日)(?=(\d?))/gu, spaced) : text
}

/** Day and minute for tables: `2026-11-20 10:24`. */
export function formatDateTime(ms: number | null | undefined, style: TimeStyle): string {
  if (ms == null) return nothing
  const parts = partsOf(ms, style)
  return `${parts.year}-${parts.month}-${parts.day} ${parts.hour}:${parts.minute}`
}

/** Day for tables and axes: `2026-11-20`. */
export function formatDate(ms: number | null | undefined, style: TimeStyle): string {
  if (ms == null) return nothing
  const parts = partsOf(ms, style)
  return `${parts.year}-${parts.month}-${parts.day}`
}

/** `10:24`. */
export function formatClock(ms: number | null | undefined, style: TimeStyle): string {
  if (ms == null) return nothing
  const parts = partsOf(ms, style)
  return `${parts.hour}:${parts.minute}`
}

/** Exact to the second and with the zone, for hovering. */
export function formatExact(ms: number | null | undefined, style: TimeStyle): string {
  if (ms == null) return nothing
  const parts = partsOf(ms, style)
  const day = `${parts.year}-${parts.month}-${parts.day}`
  return `${day} ${parts.hour}:${parts.minute}:${parts.second} ${style.timeZone}`
}

/** `3 分钟前` / `3 minutes ago`, `昨天` / `yesterday`; days count from midnight in the brand's zone. */
export function formatAgo(ms: number | null | undefined, style: TimeStyle, now = serverNow()): string {
  if (ms == null) return nothing
  const seconds = Math.round((ms - now) / 1000)
  const relative = new Intl.RelativeTimeFormat(style.locale, { numeric: 'auto' })
  const days = dayNumber(ms, style) - dayNumber(now, style)
  if (Math.abs(seconds) < 45) return spaceChinese(relative.format(0, 'second'))
  if (Math.abs(seconds) < 45 * 60) return spaceChinese(relative.format(Math.round(seconds / 60), 'minute'))
  if (days === 0 || Math.abs(seconds) < 6 * 3600)
    return spaceChinese(relative.format(Math.round(seconds / 3600), 'hour'))
  if (Math.abs(days) < 45) return spaceChinese(relative.format(days, 'day'))
  if (Math.abs(days) < 365) return spaceChinese(relative.format(Math.round(days / 30.44), 'month'))
  return spaceChinese(relative.format(Math.round(days / 365.25), 'year'))
}

/** `84 毫秒`, `3 秒`, `1 分 30 秒`, `2 小时 5 分` and the same in English. */
export function formatDuration(ms: number | null | undefined, locale: string): string {
  if (ms == null || Number.isNaN(ms)) return nothing
  const zh = locale.startsWith('zh')
  const unit = (value: number, chinese: string, english: string) => `${value} ${zh ? chinese : english}`
  if (ms < 1000) return unit(Math.round(ms), '毫秒', 'ms')
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return unit(seconds, '秒', 's')
  const minutes = Math.floor(seconds / 60)
  const pair = (a: string, b: string | undefined) => (b ? `${a} ${b}` : a)
  if (minutes < 60)
    return pair(unit(minutes, '分', 'min'), seconds % 60 ? unit(seconds % 60, '秒', 's') : undefined)
  const hours = Math.floor(minutes / 60)
  if (hours < 48)
    return pair(unit(hours, '小时', 'h'), minutes % 60 ? unit(minutes % 60, '分', 'min') : undefined)
  return unit(Math.round(hours / 24), '天', 'days')
}

/** A space between Chinese and digits or Latin letters. */
export function spaceChinese(text: string): string {
  return text
    .replaceAll(/(\p{Script=Han})(?=[A-Za-z\d])/gu, '$1 ')
    .replaceAll(/([A-Za-z\d])(?=\p{Script=Han})/gu, '$1 ')
}

function spaced(_: string, digits: string, unit: string, next: string): string {
  return `${digits} ${unit}${next ? ' ' : ''}`
}

function partsOf(ms: number, style: TimeStyle): Record<string, string> {
  const options: Intl.DateTimeFormatOptions = {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  }
  const parts = intlDate({ ...style, locale: 'en-GB' }, options).formatToParts(ms)
  return Object.fromEntries(parts.map((part) => [part.type, part.value]))
}

function dayNumber(ms: number, style: TimeStyle): number {
  const { year, month, day } = partsOf(ms, style)
  return Date.UTC(Number(year), Number(month) - 1, Number(day)) / 86_400_000
}
