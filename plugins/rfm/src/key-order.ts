import { selectText } from './select.ts'

const canonicalInteger = /^(0|[1-9]\d*)$/

/**
 * Orders customer keys: integers by size and before anything else, the rest as text. Comparing a number with a
 * word as text, and two numbers as numbers, would not be an order: 9 < 10 < "1a" < 9.
 */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0
  const aIsInteger = isInteger(a)
  if (aIsInteger !== isInteger(b)) return aIsInteger ? -1 : 1
  return (aIsInteger ? isSmaller(a, b) : a < b) ? -1 : 1
}

/** Tells, of keys that are all different, which come at or after position `cut` in their order. */
export function fromPosition(keys: readonly string[], cut: number): (key: string) => boolean {
  const integers = keys.filter(isInteger)
  if (cut < integers.length) {
    const first = selectText(integers, cut, isSmaller)
    return (key) => !isInteger(key) || !isSmaller(key, first)
  }
  const texts = integers.length === 0 ? [...keys] : keys.filter((key) => !isInteger(key))
  const first = selectText(texts, cut - integers.length, (a, b) => a < b)
  return (key) => key >= first && !isInteger(key)
}

function isInteger(key: string): boolean {
  // Most keys that are not integers start with a letter; the expression is for the others.
  return key.charCodeAt(0) < 58 && canonicalInteger.test(key)
}

/** Whether one integer is smaller: without leading zeros the longer is the larger, however many digits it has. */
function isSmaller(a: string, b: string): boolean {
  return a.length === b.length ? a < b : a.length < b.length
}
