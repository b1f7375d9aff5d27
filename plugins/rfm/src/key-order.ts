const canonicalInteger = /^(0|[1-9]\d*)$/
const exactDigits = 15

/**
 * Orders customer keys: integers by size and before anything else, the rest as text. Comparing a number with a
 * word as text, and two numbers as numbers, would not be an order: 9 < 10 < "1a" < 9.
 */
export function compareKeys(a: string, b: string): number {
  const aIsInteger = canonicalInteger.test(a)
  if (aIsInteger !== canonicalInteger.test(b)) return aIsInteger ? -1 : 1
  if (aIsInteger && a.length !== b.length) return a.length - b.length
  return a < b ? -1 : a > b ? 1 : 0
}

/** Tells, of keys that are all different, which come at or after position `cut` in their order. */
export function fromPosition(keys: readonly string[], cut: number): (key: string) => boolean {
  if (keys.every((key) => key.length <= exactDigits && canonicalInteger.test(key))) {
    const first = Float64Array.from(keys, Number).sort()[cut] ?? Number.POSITIVE_INFINITY
    return (key) => Number(key) >= first
  }
  const first = selectKey([...keys], cut)
  return (key) => compareKeys(key, first) >= 0
}

/** The key at `position` once `keys` were sorted, found without sorting them all; `keys` is rearranged. */
function selectKey(keys: string[], position: number): string {
  let low = 0
  let high = keys.length - 1
  while (low < high) {
    const pivot = medianOfThree(keys[low]!, keys[(low + high) >> 1]!, keys[high]!)
    let left = low
    let right = high
    while (left <= right) {
      while (compareKeys(keys[left]!, pivot) < 0) left++
      while (compareKeys(keys[right]!, pivot) > 0) right--
      if (left > right) break
      const swapped = keys[left]!
      keys[left++] = keys[right]!
      keys[right--] = swapped
    }
    if (position <= right) high = right
    else if (position >= left) low = left
    else break
  }
  return keys[position]!
}

function medianOfThree(a: string, b: string, c: string): string {
  const [small, large] = compareKeys(a, b) < 0 ? [a, b] : [b, a]
  if (compareKeys(c, small) < 0) return small
  return compareKeys(c, large) > 0 ? large : c
}
