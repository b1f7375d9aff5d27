import type { Aggregate } from '@huitou/plugin-api'

/** What one event brings to an aggregate. */
export interface Sample {
  /** Number to add up, in whole units so that sums do not depend on the order of adding. */
  number: number
  /** Value that `first`, `last`, `distinct` and `mode` look at. */
  value: string | number | undefined
  ts: number
  messageId: string
  day: number
}

/**
 * A commutative monoid: samples fold into accumulators that can be merged in any order and any grouping. That is
 * what makes a profile independent of how its events arrive. Accumulators are plain JSON.
 */
export interface Monoid<A> {
  of(sample: Sample): A | undefined
  merge(a: A, b: A): A
  result(accumulator: A): number | string | null
}

type Dated = [value: string | number, ts: number, messageId: string]
type Counts = Record<string, number>

const dated = (sample: Sample): Dated | undefined =>
  sample.value === undefined ? undefined : [sample.value, sample.ts, sample.messageId]

const before = (a: Dated, b: Dated) => (a[1] !== b[1] ? a[1] < b[1] : a[2] < b[2])

const mergeCounts = (a: Counts, b: Counts): Counts => {
  // A customer may have thousands of values: copy the small side into the large one.
  const [large, small] = Object.keys(a).length >= Object.keys(b).length ? [a, b] : [b, a]
  for (const [value, count] of Object.entries(small)) large[value] = (large[value] ?? 0) + count
  return large
}

const countOf = (sample: Sample): Counts | undefined =>
  sample.value === undefined ? undefined : { [sample.value]: 1 }

const DAY_MS = 86_400_000

/** How each declared aggregate folds. */
export const monoids: { [K in Aggregate]: Monoid<any> } = {
  count: { of: () => 1, merge: (a: number, b: number) => a + b, result: (a: number) => a },
  sum: { of: ({ number }) => number, merge: (a: number, b: number) => a + b, result: (a: number) => a },
  mean: {
    of: ({ number }) => [number, 1],
    merge: (a: [number, number], b: [number, number]) => [a[0] + b[0], a[1] + b[1]],
    result: ([sum, count]: [number, number]) => sum / count,
  },
  min: { of: ({ number }) => number, merge: Math.min, result: (a: number) => a },
  max: { of: ({ number }) => number, merge: Math.max, result: (a: number) => a },
  first: {
    of: dated,
    merge: (a: Dated, b: Dated) => (before(a, b) ? a : b),
    result: ([value]: Dated) => value,
  },
  last: {
    of: dated,
    merge: (a: Dated, b: Dated) => (before(a, b) ? b : a),
    result: ([value]: Dated) => value,
  },
  distinct: { of: countOf, merge: mergeCounts, result: (counts: Counts) => Object.keys(counts).length },
  mode: {
    of: countOf,
    merge: mergeCounts,
    result: (counts: Counts) => {
      let best: [string, number] | undefined
      for (const [value, count] of Object.entries(counts)) {
        if (!best || count > best[1] || (count === best[1] && value < best[0])) best = [value, count]
      }
      return best ? best[0] : null
    },
  },
  mean_gap: {
    of: ({ day }) => ({ [day]: 1 }),
    merge: mergeCounts,
    result: (days: Counts) => {
      const known = Object.keys(days).map(Number)
      if (known.length < 2) return null
      const span = known.reduce((a, b) => Math.max(a, b)) - known.reduce((a, b) => Math.min(a, b))
      return Math.round((span / (known.length - 1)) * DAY_MS)
    },
  },
}
