import { normalQuantile, normalTails, studentReach, studentTails } from './distributions.ts'

export interface Interval {
  low: number
  high: number
}

/** What one arm came to, told by two figures of each customer: `y` counts, `x` stands beside it. */
export interface Moments {
  n: number
  y: number
  yy: number
  x: number
  xx: number
  xy: number
}

/** A mean, and the variance of what it is the mean of. */
export interface Sample {
  n: number
  mean: number
  variance: number
}

export interface Comparison extends Interval {
  estimate: number
  /** Standard error of the estimate. */
  error: number
  /** z, or t where there are degrees of freedom. */
  statistic: number
  df?: number
  /** Two-sided. */
  p: number
}

/** Mean and sample variance of `y`. */
export function sampleOf({ n, y, yy }: Pick<Moments, 'n' | 'y' | 'yy'>): Sample {
  const mean = n > 0 ? y / n : 0
  return { n, mean, variance: n > 1 ? Math.max(0, yy - n * mean * mean) / (n - 1) : 0 }
}

/** Wilson's score interval of a proportion. */
export function wilson(successes: number, n: number, alpha = 0.05): Interval {
  if (n === 0) return { low: 0, high: 1 }
  const z2 = normalQuantile(1 - alpha / 2) ** 2
  const middle = successes + z2 / 2
  const reach = Math.sqrt(z2 * ((successes * (n - successes)) / n + z2 / 4))
  return {
    low: successes === 0 ? 0 : (middle - reach) / (n + z2),
    high: successes === n ? 1 : (middle + reach) / (n + z2),
  }
}

/**
 * Two proportions: the z test with pooled variance, and two intervals of the difference. The comparison's own is
 * Newcombe's, which holds with few conversions too; `wald` is the one that most tables print.
 */
export function compareProportions(
  treated: { successes: number; n: number },
  control: { successes: number; n: number },
  alpha = 0.05,
): Comparison & { wald: Interval } {
  const [p1, p0] = [treated.successes / treated.n, control.successes / control.n]
  const estimate = p1 - p0
  const pooled = (treated.successes + control.successes) / (treated.n + control.n)
  const pooledError = Math.sqrt(pooled * (1 - pooled) * (1 / treated.n + 1 / control.n))
  const error = Math.sqrt((p1 * (1 - p1)) / treated.n + (p0 * (1 - p0)) / control.n)
  const statistic = ratioOf(estimate, pooledError)
  const reach = normalQuantile(1 - alpha / 2) * error
  const [own, other] = [
    wilson(treated.successes, treated.n, alpha),
    wilson(control.successes, control.n, alpha),
  ]
  return {
    estimate,
    low: estimate - Math.hypot(p1 - own.low, other.high - p0),
    high: estimate + Math.hypot(own.high - p1, p0 - other.low),
    wald: { low: estimate - reach, high: estimate + reach },
    error,
    statistic,
    p: normalTails(statistic),
  }
}

/** Two means by Welch's t test, which does not take their variances for equal. */
export function compareMeans(treated: Sample, control: Sample, alpha = 0.05): Comparison {
  const [a, b] = [treated.variance / treated.n, control.variance / control.n]
  const estimate = treated.mean - control.mean
  const error = Math.sqrt(a + b)
  if (error === 0) return { ...certain(estimate), df: treated.n + control.n - 2 }
  const df = (a + b) ** 2 / (a ** 2 / (treated.n - 1) + b ** 2 / (control.n - 1))
  const statistic = estimate / error
  const reach = studentReach(alpha, df) * error
  return {
    estimate,
    low: estimate - reach,
    high: estimate + reach,
    error,
    statistic,
    df,
    p: studentTails(statistic, df),
  }
}

/**
 * Means of `y` after taking out what `x`, known before the experiment, says about them (CUPED). As long as `x` cannot
 * be touched by the experiment the difference keeps its meaning and its interval narrows.
 */
export function adjustByBefore(arms: readonly Moments[]): Sample[] {
  let [covariance, variance] = [0, 0]
  for (const { n, x, xx, y, xy } of arms) {
    if (n === 0) continue
    covariance += xy - (x * y) / n
    variance += xx - (x * x) / n
  }
  const theta = variance > 0 ? covariance / variance : 0
  const customers = arms.reduce((sum, { n }) => sum + n, 0)
  const overall = arms.reduce((sum, { x }) => sum + x, 0) / (customers || 1)
  return arms.map((arm) => {
    const { n, x, xx, y, xy } = arm
    const plain = sampleOf(arm)
    if (n < 2) return plain
    const ownVariance = (xx - (x * x) / n) / (n - 1)
    const ownCovariance = (xy - (x * y) / n) / (n - 1)
    return {
      n,
      mean: plain.mean - theta * (x / n - overall),
      variance: Math.max(0, plain.variance - 2 * theta * ownCovariance + theta ** 2 * ownVariance),
    }
  })
}

/** The ratio of the sums of `y` and `x` as if it were a mean, by the delta method: customers vary, not orders. */
export function ratioSample({ n, y, yy, x, xx, xy }: Moments): Sample {
  if (x === 0 || n < 2) return { n, mean: 0, variance: 0 }
  const ratio = y / x
  const spread = yy - 2 * ratio * xy + ratio ** 2 * xx
  return { n, mean: ratio, variance: Math.max(0, spread) / (n - 1) / (x / n) ** 2 }
}

/** Two means by the z test: what the delta method calls for. */
export function compareByNormal(treated: Sample, control: Sample, alpha = 0.05): Comparison {
  const estimate = treated.mean - control.mean
  const error = Math.sqrt(treated.variance / treated.n + control.variance / control.n)
  if (error === 0) return certain(estimate)
  const reach = normalQuantile(1 - alpha / 2) * error
  const statistic = estimate / error
  return {
    estimate,
    low: estimate - reach,
    high: estimate + reach,
    error,
    statistic,
    p: normalTails(statistic),
  }
}

/**
 * By how much more of itself: 0.2 is a fifth more. The interval is Katz's, on the logarithm of the ratio. `undefined`
 * unless both means are above 0.
 */
export function compareRelatively(
  treated: Sample,
  control: Sample,
  alpha = 0.05,
): (Interval & { estimate: number }) | undefined {
  if (!(treated.mean > 0 && control.mean > 0)) return undefined
  const ratio = treated.mean / control.mean
  const error = Math.sqrt(
    treated.variance / treated.n / treated.mean ** 2 + control.variance / control.n / control.mean ** 2,
  )
  const reach = Math.exp(normalQuantile(1 - alpha / 2) * error)
  return { estimate: ratio - 1, low: ratio / reach - 1, high: ratio * reach - 1 }
}

function certain(estimate: number): Comparison {
  return { estimate, low: estimate, high: estimate, error: 0, statistic: 0, p: 1 }
}

function ratioOf(a: number, b: number): number {
  return b === 0 ? 0 : a / b
}
