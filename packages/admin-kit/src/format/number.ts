export interface NumberStyle {
  locale: string
  /** Most decimals shown; 0 unless told. */
  decimals?: number
  /** 6.1 万 / 61K instead of 61,150. */
  compact?: boolean
  /** A plus before what is more than zero. */
  signed?: boolean
}

/** Shown where there is no value. */
export const nothing = '–'

const formats = new Map<string, Intl.NumberFormat>()

/** Intl formatters are slow to build; every combination is built once. */
export function intlNumber(locale: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = `${locale}${JSON.stringify(options)}`
  let format = formats.get(key)
  if (!format) formats.set(key, (format = new Intl.NumberFormat(locale, options)))
  return format
}

/** A true minus sign, and a space between a figure and a Chinese unit. */
export function polish(text: string): string {
  return text.replaceAll('-', '−').replace(/(\d)([万亿])/u, '$1 $2')
}

/** `12,406`, `6.1 万`, `−88`; an en dash for nothing. */
export function formatNumber(value: number | null | undefined, style: NumberStyle): string {
  if (value == null || Number.isNaN(value)) return nothing
  const small = style.compact && Math.abs(value) < 10_000
  const options: Intl.NumberFormatOptions = {
    maximumFractionDigits: style.decimals ?? (small ? 0 : style.compact ? 1 : 0),
  }
  if (style.compact && !small) options.notation = 'compact'
  if (style.signed) options.signDisplay = 'exceptZero'
  return polish(intlNumber(style.locale, options).format(value))
}

/** A share from 0 to 1 as `23.6%`. */
export function formatPercent(share: number | null | undefined, style: NumberStyle): string {
  if (share == null || Number.isNaN(share)) return nothing
  const options: Intl.NumberFormatOptions = { style: 'percent', maximumFractionDigits: style.decimals ?? 1 }
  if (style.signed) options.signDisplay = 'exceptZero'
  return polish(intlNumber(style.locale, options).format(share))
}

/** `18.6 MB`. */
export function formatBytes(bytes: number | null | undefined, locale: string): string {
  if (bytes == null) return nothing
  const units = ['B', 'KB', 'MB', 'GB', 'TB']
  const step = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3))
  const value = bytes / 1000 ** step
  return `${intlNumber(locale, { maximumFractionDigits: value < 100 && step > 0 ? 1 : 0 }).format(value)} ${units[step]}`
}
