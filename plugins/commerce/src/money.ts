import { cleanCell, toHalfWidth } from './cells.ts'

/** An exact decimal number: `digits` × 10^−`scale`. */
export interface Decimal {
  readonly digits: bigint
  readonly scale: number
}

export const ZERO: Decimal = { digits: 0n, scale: 0 }

const PLAIN = /^-?\d+(?:\.\d+)?$/
const GROUPED = /^\d{1,3}(?:,\d{3})+(?:\.\d+)?$/
const GROUPED_BY_DOT = /^\d{1,3}(?:\.\d{3})+,\d+$/
const COMMA_DECIMAL = /^\d+,\d{1,2}$/
const SIGNS = /(?:us|hk|nt|r)?\$|[¥￥€£₹₩฿]|元|圆|rmb|cny|usd|hkd|gbp|eur/gi

/**
 * Reads an amount or a quantity exactly: `1,234.50`, `¥ 12.5`, `598元`, `(3.20)`, `-3.2`, `1.234,56`,
 * `499.00（系统计算中，该值仅供参考）`. Undefined when the cell is empty or is no number.
 */
export function findDecimal(cell: string | undefined): Decimal | undefined {
  if (cell === undefined || cell === '') return undefined
  if (PLAIN.test(cell)) return fromPlain(cell)
  let text = toHalfWidth(cleanCell(cell)).replace(/\s+/g, '').replace(/[−–]/g, '-')
  if (text === '') return undefined
  let negative = false
  const bracketed = /^\(([^()]*)\)$/.exec(text)
  if (bracketed) {
    negative = true
    text = bracketed[1]!
  } else {
    // A remark behind the amount, such as "still being computed".
    text = text.replace(/\([^()]*\)$/, '')
  }
  text = text.replace(SIGNS, '')
  const signed = /^([+-]?)(.*?)(-?)$/.exec(text)!
  if (signed[1] !== '' && signed[3] !== '') return undefined
  if (signed[1] === '-' || signed[3] === '-') negative = !negative
  text = signed[2]!
  if (GROUPED.test(text)) text = text.replaceAll(',', '')
  else if (GROUPED_BY_DOT.test(text)) text = text.replaceAll('.', '').replace(',', '.')
  else if (COMMA_DECIMAL.test(text)) text = text.replace(',', '.')
  else if (/^\.\d+$/.test(text)) text = `0${text}`
  else if (/^\d+\.$/.test(text)) text = text.slice(0, -1)
  if (!PLAIN.test(text) || text.startsWith('-')) return undefined
  const value = fromPlain(text)
  return negative ? negate(value) : value
}

/** The exact sum. */
export function add(a: Decimal, b: Decimal): Decimal {
  if (a.scale === b.scale) return { digits: a.digits + b.digits, scale: a.scale }
  const scale = Math.max(a.scale, b.scale)
  return { digits: rescale(a, scale) + rescale(b, scale), scale }
}

/** The exact product. */
export function multiply(a: Decimal, b: Decimal): Decimal {
  return { digits: a.digits * b.digits, scale: a.scale + b.scale }
}

export function negate(value: Decimal): Decimal {
  return { digits: -value.digits, scale: value.scale }
}

export function subtract(a: Decimal, b: Decimal): Decimal {
  return add(a, negate(b))
}

/** Negative, zero or positive as `a` is smaller than, equal to or larger than `b`. */
export function compare(a: Decimal, b: Decimal): number {
  const scale = Math.max(a.scale, b.scale)
  const difference = rescale(a, scale) - rescale(b, scale)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

export function sign(value: Decimal): number {
  return value.digits < 0n ? -1 : value.digits > 0n ? 1 : 0
}

/** Minor units of the currency, rounded once, halves away from zero. */
export function toMinor(value: Decimal, currency: string): number {
  const places = minorPlaces(currency)
  if (value.scale <= places) return Number(rescale(value, places))
  const divisor = 10n ** BigInt(value.scale - places)
  const magnitude = value.digits < 0n ? -value.digits : value.digits
  const rounded = (magnitude * 2n + divisor) / (divisor * 2n)
  return Number(value.digits < 0n ? -rounded : rounded)
}

/** The decimal amount that events carry: the number nearest to the exact decimal. */
export function toAmount(minor: number, currency: string): number {
  return minor / 10 ** minorPlaces(currency)
}

/** The nearest number, for quantities and prices that are shown, never added up. */
export function toNumber(value: Decimal): number {
  return Number(value.digits) / 10 ** value.scale
}

const places = new Map<string, number>()

/** Decimal places of a currency: 2 for CNY, 0 for JPY. 2 when the code is unknown. */
export function minorPlaces(currency: string): number {
  let known = places.get(currency)
  if (known === undefined) {
    known = /^[A-Z]{3}$/.test(currency)
      ? (new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions()
          .maximumFractionDigits ?? 2)
      : 2
    places.set(currency, known)
  }
  return known
}

function fromPlain(text: string): Decimal {
  const point = text.indexOf('.')
  if (point < 0) return { digits: BigInt(text), scale: 0 }
  return { digits: BigInt(text.slice(0, point) + text.slice(point + 1)), scale: text.length - point - 1 }
}

function rescale(value: Decimal, scale: number): bigint {
  return scale === value.scale ? value.digits : value.digits * 10n ** BigInt(scale - value.scale)
}
