import { createHash } from 'node:crypto'

/** Who is kept away from every arm. */
export const HOLDOUT = 'holdout'

export interface Assignment {
  /** Names the experiment: another name deals anew, independently. */
  id: string
  arms: readonly { key: string; weight: number }[]
  /** Percent of customers in no arm. */
  holdoutPercent: number
}

/**
 * The arm of a customer, or `holdout`: always the same one, in proportion to the weights, and independent of every
 * other experiment. A larger hold-out only moves customers into it, never between arms.
 */
export function assignArm({ id, arms, holdoutPercent }: Assignment, customerId: number): string {
  if (shareOf(id, HOLDOUT, customerId) * 100 < holdoutPercent) return HOLDOUT
  const total = arms.reduce((sum, { weight }) => sum + weight, 0)
  let rest = shareOf(id, 'arm', customerId) * total
  for (const { key, weight } of arms) {
    rest -= weight
    if (rest < 0) return key
  }
  return arms.findLast(({ weight }) => weight > 0)?.key ?? HOLDOUT
}

/** The share of customers that each arm, and the hold-out, should have. */
export function expectedShares({ arms, holdoutPercent }: Omit<Assignment, 'id'>): Map<string, number> {
  const total = arms.reduce((sum, { weight }) => sum + weight, 0)
  const treated = 1 - holdoutPercent / 100
  const shares = new Map(arms.map(({ key, weight }) => [key, (treated * weight) / total]))
  if (holdoutPercent > 0) shares.set(HOLDOUT, holdoutPercent / 100)
  return shares
}

/** Between 0 and 1, the same at every asking. The parts are told apart, so that "1", "23" is not "12", "3". */
function shareOf(...parts: (string | number)[]): number {
  return createHash('sha256').update(JSON.stringify(parts)).digest().readUIntBE(0, 6) / 2 ** 48
}
