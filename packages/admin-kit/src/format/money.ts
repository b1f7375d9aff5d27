import { intlNumber, nothing, polish } from './number.ts'

export interface MoneyStyle {
  locale: string
  /** ISO 4217. */
  currency: string
  /** 6.1 万 / 61K. */
  compact?: boolean
  /** Leave the minor units out; by default they show when there are any. */
  whole?: boolean
  signed?: boolean
}

const exponents = new Map<string, number>()

/** How many decimals the currency has: 2 for CNY, 0 for JPY. */
export function minorDigits(currency: string): number {
  let digits = exponents.get(currency)
  if (digits === undefined) {
    digits =
      new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ??
      2
    exponents.set(currency, digits)
  }
  return digits
}

/** Minor units as money: `¥1,286.50`, `¥611.5 万`, `−¥88`. */
export function formatMoney(minor: number | null | undefined, style: MoneyStyle): string {
  if (minor == null || Number.isNaN(minor)) return nothing
  const digits = minorDigits(style.currency)
  const value = minor / 10 ** digits
  const whole = style.whole ?? Number.isInteger(value)
  const compact = style.compact && Math.abs(value) >= 10_000
  const options: Intl.NumberFormatOptions = {
    style: 'currency',
    currency: style.currency,
    currencyDisplay: 'narrowSymbol',
    minimumFractionDigits: whole || compact ? 0 : digits,
    maximumFractionDigits: compact ? 1 : whole ? 0 : digits,
  }
  if (compact) options.notation = 'compact'
  if (style.signed) options.signDisplay = 'exceptZero'
  return polish(intlNumber(style.locale, options).format(value))
}
