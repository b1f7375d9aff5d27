import { userError } from '@huitou/plugin-api'
import { anytimeReach } from './anytime.ts'
import { normalBelow, normalQuantile } from './distributions.ts'

/** What a customer of the control does: converts with a chance, or comes to a figure that varies. */
export type Baseline = { rate: number } | { mean: number; deviation: number }

export interface PlanOptions {
  baseline: Baseline
  /** Chance of seeing a difference where there is none. */
  alpha?: number
  /** Customers of an arm for each of the control. */
  ratio?: number
  /** Whether somebody will look before the end; costs customers. */
  peeking?: boolean
}

const MOST = 1e12

/** Customers of the control that are needed to see a `difference` with chance `power`. */
export function planSize(difference: number, power: number, options: PlanOptions): number {
  checkDifference(difference, options.baseline)
  const { ratio = 1 } = options
  const { under, beside } = deviations(difference, options)
  const root = (criticalOf(options) * under + normalQuantile(power) * beside) / difference
  const size = root ** 2
  if (!(size < MOST)) {
    throw userError('E_PLAN', 'No number of customers is large enough to see that difference', {
      hint: 'Ask for a larger difference.',
    })
  }
  return Math.max(2, Math.ceil(size - 1e-9), Math.ceil(2 / ratio))
}

/** Chance of seeing a `difference` with `size` customers in the control. */
export function planPower(difference: number, size: number, options: PlanOptions): number {
  checkDifference(difference, options.baseline)
  const { under, beside } = deviations(difference, options)
  return normalBelow((Math.sqrt(size) * Math.abs(difference) - criticalOf(options) * under) / beside)
}

/** The least difference that `size` customers in the control show with chance `power`; upwards. */
export function planDifference(size: number, power: number, options: PlanOptions): number {
  const { baseline } = options
  let low = 0
  let high = 'rate' in baseline ? 1 - baseline.rate : baseline.deviation * 1e6
  const largest = high
  // Power grows with the difference: halving finds where it is reached.
  while (high - low > 1e-12 * high) {
    const middle = (low + high) / 2
    if (planPower(middle, size, options) < power) low = middle
    else high = middle
  }
  if (high === largest) {
    throw userError('E_PLAN', `No difference can be seen with ${size} customers`, {
      hint: 'Plan for more customers.',
    })
  }
  return high
}

/** Deviations of the difference, times the root of the control's size: if there is none, and if there is. */
function deviations(difference: number, { baseline, ratio = 1 }: PlanOptions) {
  if (!('rate' in baseline)) {
    const both = baseline.deviation * Math.sqrt(1 + 1 / ratio)
    return { under: both, beside: both }
  }
  const [p0, p1] = [baseline.rate, baseline.rate + difference]
  const pooled = (p0 + ratio * p1) / (1 + ratio)
  return {
    under: Math.sqrt(pooled * (1 - pooled) * (1 + 1 / ratio)),
    beside: Math.sqrt(p0 * (1 - p0) + (p1 * (1 - p1)) / ratio),
  }
}

function criticalOf({ alpha = 0.05, peeking = false }: PlanOptions): number {
  return peeking ? anytimeReach(alpha) : normalQuantile(1 - alpha / 2)
}

function checkDifference(difference: number, baseline: Baseline): void {
  const reached = 'rate' in baseline ? baseline.rate + difference : 0
  if (difference === 0 || reached < 0 || reached > 1) {
    throw userError('E_PLAN', `A difference of ${difference} cannot be planned for`, {
      hint: 'Name a difference that is not 0 and leaves the rate between 0 and 1.',
    })
  }
}
