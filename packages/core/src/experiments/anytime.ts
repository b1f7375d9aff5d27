import type { Comparison, Interval, Sample } from './compare.ts'

/** Fewest customers of an arm with whom an interval that rests on normality may be looked at. */
export const ANYTIME_FROM = 100

export interface AnytimeOptions {
  alpha?: number
  /** Customers of both arms together at which the interval is to be narrowest; named before anybody looks. */
  planned: number
}

/**
 * The interval and p value for those who look whenever they like and stop when they like what they see: the chance
 * that it is ever wrong, at any look, is `alpha`.
 *
 * It is the asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central
 * limit theory and asymptotic confidence sequences" (Annals of Statistics, 2024), with its rule for rho; the p value
 * is one over the mixture likelihood ratio, as in the mSPRT of Johari, Koomen, Pekelis and Walsh (2017). Both say
 * the same: 0 lies outside exactly when p is below `alpha`.
 */
export function anytime(
  { estimate, error }: Pick<Comparison, 'estimate' | 'error'>,
  customers: number,
  { alpha = 0.05, planned }: AnytimeOptions,
): Interval & { p: number } {
  if (error === 0 || customers === 0) return { low: -Infinity, high: Infinity, p: 1 }
  const information = customers * rhoSquared(planned, alpha)
  const reach = error * boundary(information, alpha)
  const z = estimate / error
  const logRatio = (information * z * z) / (2 * (information + 1)) - Math.log1p(information) / 2
  return { low: estimate - reach, high: estimate + reach, p: Math.min(1, Math.exp(-logRatio)) }
}

/**
 * Standard error of the difference of two means for those who peek: the larger of Welch's and of the one that takes the
 * arms for equally uneven. A small control in which hardly anybody bought yet looks far too even by itself, and with a
 * hold-out of a tenth every fourth experiment without effect would be called at one of the first looks.
 */
export function cautiousError(treated: Sample, control: Sample): number {
  const own = treated.variance / treated.n + control.variance / control.n
  const both =
    ((treated.n - 1) * treated.variance + (control.n - 1) * control.variance) / (treated.n + control.n - 2)
  return Math.sqrt(Math.max(own, both * (1 / treated.n + 1 / control.n)))
}

/** How many standard errors the interval reaches when exactly the planned customers are there. */
export function anytimeReach(alpha: number): number {
  return boundary(rhoSquared(1, alpha), alpha)
}

function rhoSquared(planned: number, alpha: number): number {
  const width = -2 * Math.log(alpha)
  return (width + Math.log(width + 1)) / planned
}

function boundary(information: number, alpha: number): number {
  return Math.sqrt(((2 * (information + 1)) / information) * (Math.log1p(information) / 2 - Math.log(alpha)))
}
