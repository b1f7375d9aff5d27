import type { ValueType } from '../api/localized.ts'
import type { useFormat } from '../composables/use-format.ts'

export type Format = ReturnType<typeof useFormat>

/** True for types whose figures stand right-aligned under each other. */
export function isFigure(type: ValueType): boolean {
  return (
    type === 'number' || type === 'integer' || type === 'money' || type === 'percent' || type === 'duration'
  )
}

/** A difference with its sign. */
export function signed(format: Format, value: number, type: ValueType): string {
  if (type === 'percent') return format.percent(value, { signed: true })
  if (type === 'money') return format.money(value, { signed: true })
  return format.number(value, { signed: true, decimals: type === 'number' ? 2 : 0 })
}

/** How a value moved against the one before: in points for shares, in percent for the rest. */
export function change(format: Format, now: number, before: number, type: ValueType): string {
  if (type === 'percent' || before === 0) return signed(format, now - before, type)
  return format.percent((now - before) / Math.abs(before), { signed: true })
}

/** A share with exactly one decimal, so that shares stand under each other. */
export function fixedPercent(format: Format, share: number | null | undefined): string {
  const text = format.percent(share, { decimals: 1 })
  return /[.,]\d%$/.test(text) ? text : text.replace(/(\d)%$/, '$1.0%')
}
