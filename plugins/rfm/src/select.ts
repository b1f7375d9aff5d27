/**
 * The values that would stand at `positions` (ascending) if `values` were sorted, without sorting them:
 * a few passes instead of a sort. `values` is rearranged. Positions past the end give infinity.
 */
export function selectValues(values: Float64Array, positions: readonly number[]): number[] {
  let low = 0
  return positions.map((position) => {
    if (position >= values.length) return Number.POSITIVE_INFINITY
    partitionNumbers(values, position, low)
    low = position
    return values[position]!
  })
}

/** The text that would stand at `position` if `texts` were sorted by `isBefore`; `texts` is rearranged. */
export function selectText(
  texts: string[],
  position: number,
  isBefore: (a: string, b: string) => boolean,
): string {
  let low = 0
  let high = texts.length - 1
  while (low < high) {
    const pivot = [texts[low]!, texts[(low + high) >> 1]!, texts[high]!].sort((a, b) =>
      isBefore(a, b) ? -1 : 1,
    )[1]!
    let left = low
    let right = high
    while (left <= right) {
      while (isBefore(texts[left]!, pivot)) left++
      while (isBefore(pivot, texts[right]!)) right--
      if (left > right) break
      const swapped = texts[left]!
      texts[left++] = texts[right]!
      texts[right--] = swapped
    }
    if (position <= right) high = right
    else if (position >= left) low = left
    else break
  }
  return texts[position]!
}

/**
 * Quickselect from `low` on: afterwards nothing before `position` is larger, nothing after it smaller. The same
 * steps as for texts, written out: through a comparator they take four times as long.
 */
function partitionNumbers(values: Float64Array, position: number, low: number): void {
  let high = values.length - 1
  while (low < high) {
    const [a, b, c] = [values[low]!, values[(low + high) >> 1]!, values[high]!]
    const pivot = Math.max(Math.min(a, b), Math.min(Math.max(a, b), c))
    let left = low
    let right = high
    while (left <= right) {
      while (values[left]! < pivot) left++
      while (values[right]! > pivot) right--
      if (left > right) break
      const swapped = values[left]!
      values[left++] = values[right]!
      values[right--] = swapped
    }
    if (position <= right) high = right
    else if (position >= left) low = left
    else return
  }
}
