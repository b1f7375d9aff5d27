import { fromPosition } from './key-order.ts'

/** How many scores there are; 1 is the worst, `scoreCount` the best. */
export const scoreCount = 5

/**
 * Five groups of equal size, as `NTILE(5) OVER (ORDER BY value, key)` in SQL: when the customers do not divide by
 * five, the lowest groups have one more. Keys, all different, decide between equal values at a border.
 */
export function rankScores(values: Float64Array, keys: readonly string[]): Uint8Array {
  const sorted = values.toSorted()
  const borders = groupStarts(values.length).map((start) => toBorder(sorted, values, keys, start))
  const scores = new Uint8Array(values.length)
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!
    let score = 1
    for (const { at, includes } of borders) {
      if (value > at || (value === at && (includes === undefined || includes(keys[row]!)))) score++
      else break
    }
    scores[row] = score
  }
  return scores
}

interface Border {
  /** Lowest value of the higher group. */
  at: number
  /** Which customers with exactly this value belong to the higher group; all when absent. */
  includes?: (key: string) => boolean
}

function toBorder(sorted: Float64Array, values: Float64Array, keys: readonly string[], start: number): Border {
  const at = sorted[start] ?? Number.POSITIVE_INFINITY
  if (start === 0 || sorted[start - 1] !== at) return { at }
  const tied: string[] = []
  for (let row = 0; row < values.length; row++) if (values[row] === at) tied.push(keys[row]!)
  return { at, includes: fromPosition(tied, start - lowerBound(sorted, at)) }
}

/** Position at which each group but the first starts. */
function groupStarts(count: number): number[] {
  const starts: number[] = []
  for (let group = 0, start = 0; group < scoreCount - 1; group++) {
    start += Math.floor(count / scoreCount) + (group < count % scoreCount ? 1 : 0)
    starts.push(start)
  }
  return starts
}

/** 1 + the number of breakpoints strictly below the value, so that equal values always score the same. */
export function scoresAbove(values: Float64Array, breakpoints: readonly number[]): Uint8Array {
  return Uint8Array.from(values, (value) => 1 + count(breakpoints, (breakpoint) => breakpoint < value))
}

/** 1 + the number of thresholds that the value reaches. */
export function scoresFrom(values: Float64Array, thresholds: readonly number[]): Uint8Array {
  return Uint8Array.from(values, (value) => 1 + count(thresholds, (threshold) => threshold <= value))
}

/** The 20, 40, 60 and 80 % percentiles, interpolated linearly between neighbours as SQL's `percentile_cont`. */
export function quintileBreakpoints(values: Float64Array): number[] {
  const sorted = values.toSorted()
  return [1, 2, 3, 4].map((fifth) => {
    const position = (fifth * (sorted.length - 1)) / scoreCount
    const below = Math.floor(position)
    const value = sorted[below] ?? Number.NaN
    return value + ((sorted[below + 1] ?? value) - value) * (position - below)
  })
}

function count<T>(items: readonly T[], fits: (item: T) => boolean): number {
  let fitting = 0
  for (const item of items) if (fits(item)) fitting++
  return fitting
}

function lowerBound(sorted: Float64Array, value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}
