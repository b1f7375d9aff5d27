import { fromPosition } from './key-order.ts'
import { selectValues } from './select.ts'

/** How many scores there are; 1 is the worst, `scoreCount` the best. */
export const scoreCount = 5

/**
 * Five groups of equal size, as `NTILE(5) OVER (ORDER BY value, key)` in SQL: when the customers do not divide by
 * five, the lowest groups have one more. Keys, all different, decide between equal values at a border.
 */
export function rankScores(values: Float64Array, keys: readonly string[]): Uint8Array {
  const starts = groupStarts(values.length)
  const borders = selectValues(values.slice(), starts).map((at, group) =>
    toBorder(at, values, keys, starts[group]!),
  )
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

function toBorder(at: number, values: Float64Array, keys: readonly string[], start: number): Border {
  let below = 0
  for (let row = 0; row < values.length; row++) if (values[row]! < at) below++
  if (below >= start) return { at }
  const tied: string[] = []
  for (let row = 0; row < values.length; row++) if (values[row] === at) tied.push(keys[row]!)
  return { at, includes: fromPosition(tied, start - below) }
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
  const scores = new Uint8Array(values.length)
  for (let row = 0; row < values.length; row++) {
    let score = 1
    for (const breakpoint of breakpoints) if (breakpoint < values[row]!) score++
    scores[row] = score
  }
  return scores
}

/** 1 + the number of thresholds that the value reaches. */
export function scoresFrom(values: Float64Array, thresholds: readonly number[]): Uint8Array {
  const scores = new Uint8Array(values.length)
  for (let row = 0; row < values.length; row++) {
    let score = 1
    for (const threshold of thresholds) if (threshold <= values[row]!) score++
    scores[row] = score
  }
  return scores
}

/** The 20, 40, 60 and 80 % percentiles, interpolated linearly between neighbours as SQL's `percentile_cont`. */
export function quintileBreakpoints(values: Float64Array): number[] {
  const positions = [1, 2, 3, 4].map((fifth) => (fifth * (values.length - 1)) / scoreCount)
  const neighbours = positions.flatMap((position) => [Math.floor(position), Math.ceil(position)])
  const found = selectValues(
    values.slice(),
    neighbours.toSorted((a, b) => a - b),
  )
  return positions.map((position, index) => {
    const [below, above] = [found[2 * index]!, found[2 * index + 1]!]
    return below + (above - below) * (position - Math.floor(position))
  })
}
