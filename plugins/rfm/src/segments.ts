import type { Scheme } from './settings.ts'

/** The eleven segments from best to worst; their place here is their index in labels. */
export const segmentIds = [
  'champions',
  'loyal',
  'potential_loyalist',
  'new',
  'promising',
  'need_attention',
  'about_to_sleep',
  'at_risk',
  'cannot_lose',
  'hibernating',
  'lost',
] as const

export type SegmentId = (typeof segmentIds)[number]

export const groupIds = ['core', 'potential', 'dormant'] as const

export type GroupId = (typeof groupIds)[number]

export const groupColors: Record<GroupId, string> = {
  core: 'chart-1',
  potential: 'chart-3',
  dormant: 'chart-2',
}

/** Which core group a segment belongs to. */
export function groupOf(segment: SegmentId): GroupId {
  const index = segmentIds.indexOf(segment)
  if (index < 2) return 'core'
  return index < 6 ? 'potential' : 'dormant'
}

/** Rows F5 to F1, columns R1 to R5. What is spent does not move anyone: it shows in the figures of each field. */
const grid: SegmentId[][] = [
  ['cannot_lose', 'cannot_lose', 'loyal', 'loyal', 'champions'],
  ['at_risk', 'at_risk', 'loyal', 'loyal', 'champions'],
  ['at_risk', 'at_risk', 'need_attention', 'potential_loyalist', 'potential_loyalist'],
  ['hibernating', 'hibernating', 'about_to_sleep', 'potential_loyalist', 'potential_loyalist'],
  ['lost', 'hibernating', 'about_to_sleep', 'promising', 'new'],
]

/** Lowest and highest R, F and M of the segments that the R package `rfm` documents; the first that fits counts. */
const rfmRIntervals: [SegmentId, r: [number, number], f: [number, number], m: [number, number]][] = [
  ['champions', [5, 5], [5, 5], [5, 5]],
  ['potential_loyalist', [3, 5], [3, 5], [2, 5]],
  ['loyal', [2, 4], [2, 4], [2, 4]],
  ['promising', [3, 4], [1, 3], [3, 5]],
  ['new', [4, 5], [1, 3], [1, 5]],
  ['cannot_lose', [1, 2], [3, 4], [4, 5]],
  ['at_risk', [1, 2], [2, 5], [4, 5]],
  ['need_attention', [1, 3], [3, 5], [3, 5]],
  ['about_to_sleep', [2, 3], [1, 3], [1, 4]],
  ['lost', [1, 1], [1, 5], [1, 5]],
]

/** The segment of a combination of scores. Only `rfm_r` leaves some without one, as the package does. */
export function findSegment(scheme: Scheme, r: number, f: number, m: number): SegmentId | undefined {
  if (scheme === 'huitou') return grid[5 - f]?.[r - 1]
  const within = (score: number, [low, high]: [number, number]) => low <= score && score <= high
  return rfmRIntervals.find(
    (interval) => within(r, interval[1]) && within(f, interval[2]) && within(m, interval[3]),
  )?.[0]
}

/** Index of the segment of each row; −1 where a score is missing or the scheme names none. */
export function assignSegments(
  scheme: Scheme,
  scores: Record<'r' | 'f' | 'm', ArrayLike<number>>,
): Int16Array {
  const { r, f, m } = scores
  const segments = new Int16Array(r.length).fill(-1)
  const known = new Int16Array(556).fill(-1)
  for (let r = 1; r <= 5; r++) {
    for (let f = 1; f <= 5; f++) {
      for (let m = 1; m <= 5; m++) {
        const segment = findSegment(scheme, r, f, m)
        if (segment !== undefined) known[r * 100 + f * 10 + m] = segmentIds.indexOf(segment)
      }
    }
  }
  for (let row = 0; row < r.length; row++) {
    segments[row] = known[r[row]! * 100 + f[row]! * 10 + m[row]!] ?? -1
  }
  return segments
}
