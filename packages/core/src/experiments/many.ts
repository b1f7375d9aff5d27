import { chiSquareAbove } from './distributions.ts'

/** p values corrected by Holm for having looked at all of them, in the order given. */
export function holm(ps: readonly number[]): number[] {
  const corrected = ps.map(() => 1)
  let least = 0
  const inOrder = ps.map((p, index) => ({ p, index })).toSorted((a, b) => a.p - b.p)
  for (const [rank, { p, index }] of inOrder.entries()) {
    least = Math.max(least, Math.min(1, p * (ps.length - rank)))
    corrected[index] = least
  }
  return corrected
}

export interface SampleRatio {
  chiSquare: number
  df: number
  p: number
  /** The arms did not get the customers they should have: no figure of the experiment can be trusted. */
  alarm: boolean
}

/** Rare enough to be no accident, even when looked at daily. */
const ALARM = 0.001

/** Whether the arms have the shares they should have: Pearson's chi-square. */
export function checkSampleRatio(arms: readonly { customers: number; share: number }[]): SampleRatio {
  const customers = arms.reduce((sum, arm) => sum + arm.customers, 0)
  const df = Math.max(1, arms.length - 1)
  if (customers === 0) return { chiSquare: 0, df, p: 1, alarm: false }
  const chiSquare = arms.reduce((sum, arm) => {
    const expected = customers * arm.share
    return sum + (arm.customers - expected) ** 2 / expected
  }, 0)
  const p = chiSquareAbove(chiSquare, df)
  return { chiSquare, df, p, alarm: p < ALARM }
}
