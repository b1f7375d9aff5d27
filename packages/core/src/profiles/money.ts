/**
 * Minor units of a decimal amount, rounded half away from zero. Works on the decimal text, because
 * `1.005 * 100` is not 100.5. `undefined` when `amount` is no amount.
 */
export function toMinorUnits(amount: unknown, digits: number): number | undefined {
  if (typeof amount !== 'number' && typeof amount !== 'string') return undefined
  const text = typeof amount === 'number' ? decimalText(amount) : amount.trim()
  const match = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(text)
  if (!match || (match[2] === '' && !match[3])) return undefined
  const fraction = (match[3] ?? '').padEnd(digits + 1, '0')
  const kept = Number(`${match[2]}${fraction.slice(0, digits)}`) + (Number(fraction[digits]) >= 5 ? 1 : 0)
  if (!Number.isSafeInteger(kept)) return undefined
  return match[1] === '-' && kept !== 0 ? -kept : kept
}

function decimalText(amount: number): string {
  const text = String(amount)
  return text.includes('e') ? amount.toFixed(12) : text
}
