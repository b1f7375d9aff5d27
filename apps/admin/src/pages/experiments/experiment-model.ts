import type { ArmComparison, Experiment, ExperimentDefinition } from '@huitou/admin-kit'

export type Draft = Required<Pick<ExperimentDefinition, 'arms' | 'metrics'>> & {
  journeyId: string | null
  holdoutPercent: number
  control?: string
  alpha: number
  plannedCustomers: number
}
export type DraftMetric = Draft['metrics'][number]

export const HOLDOUT = 'holdout'

/** What a new experiment begins with: two arms, and whether anybody buys within a month. */
export function newDraft(names: { a: string; b: string }): Draft {
  return {
    journeyId: null,
    arms: [
      { key: 'a', name: names.a, weight: 1 },
      { key: 'b', name: names.b, weight: 1 },
    ],
    holdoutPercent: 10,
    alpha: 0.05,
    plannedCustomers: 10_000,
    metrics: [{ key: 'm1', kind: 'conversion', event: 'order.paid', withinDays: 30, cuped: false }],
  }
}

/** What of a stored experiment can be changed while it is a draft. */
export function draftOf(experiment: Experiment): Draft {
  const { journeyId, arms, holdoutPercent, control, metrics, alpha, plannedCustomers } = experiment
  const draft = { journeyId, arms, holdoutPercent, metrics, alpha, plannedCustomers }
  return JSON.parse(JSON.stringify(control === undefined ? draft : { ...draft, control })) as Draft
}

/** The first of `a`, `b`, `c` … or `m1`, `m2` … that is free. */
export function freeKey(taken: readonly { key: string }[], letters: boolean): string {
  const known = new Set(taken.map(({ key }) => key))
  for (let at = 0; ; at++) {
    const key = letters ? String.fromCodePoint(97 + (at % 26)) + (at < 26 ? '' : at) : `m${at + 1}`
    if (!known.has(key)) return key
  }
}

/** Whose journey is measured has one arm, and the hold-out of the journey. */
export function withJourney(draft: Draft, journeyId: string | null, names: { a: string; b: string }): Draft {
  const { control: _, ...rest } = draft
  if (journeyId === null) return { ...rest, journeyId, arms: newDraft(names).arms }
  return {
    ...rest,
    journeyId,
    arms: [{ key: 'treated', weight: 1 }],
    holdoutPercent: draft.holdoutPercent || 10,
  }
}

/** Mistakes by field, as keys below `experiments.faults`. */
export function draftFaults(name: string, draft: Draft): Record<string, string> {
  const faults: Record<string, string> = {}
  if (!name.trim()) faults['name'] = 'name'
  if (draft.arms.every(({ weight = 1 }) => weight === 0)) faults['arms'] = 'weight'
  if (draft.arms.some(({ weight = 1 }) => !(weight >= 0))) faults['arms'] = 'weight'
  if (!(draft.holdoutPercent >= 0 && draft.holdoutPercent <= 90)) faults['holdout'] = 'holdout'
  else if (draft.arms.length + (draft.holdoutPercent > 0 ? 1 : 0) < 2) faults['arms'] = 'few'
  if (!Number.isInteger(draft.plannedCustomers) || draft.plannedCustomers < 100) faults['planned'] = 'planned'
  for (const [at, metric] of draft.metrics.entries()) {
    if (!Number.isInteger(metric.withinDays) || metric.withinDays < 1 || metric.withinDays > 365)
      faults[`metric.${at}.days`] = 'days'
    const events =
      metric.kind === 'ratio' ? [metric.numerator.event, metric.denominator.event] : [metric.event]
    if (events.some((event) => !event)) faults[`metric.${at}.event`] = 'event'
  }
  return faults
}

/** How many customers the first arm has for each in the control. */
export function ratioOf(draft: Draft): number {
  const weights = draft.arms.reduce((sum, { weight = 1 }) => sum + weight, 0) || 1
  const shareOf = (weight: number) => ((100 - draft.holdoutPercent) * weight) / weights
  const control = draft.holdoutPercent > 0 ? draft.holdoutPercent : shareOf(draft.arms[0]?.weight ?? 1)
  const other = shareOf((draft.holdoutPercent > 0 ? draft.arms[0] : draft.arms[1])?.weight ?? 1)
  return Math.min(100, Math.max(0.01, other / control))
}

export type Verdict = 'better' | 'worse' | 'same' | 'early'

/**
 * What can be said of a comparison. While it runs only the interval for those who peek counts; after the end the
 * fixed one does, corrected for all comparisons.
 */
export function verdictOf(
  { anytime, difference, pCorrected }: ArmComparison,
  { alpha, isOver }: { alpha: number; isOver: boolean },
): Verdict {
  if (!isOver && anytime === null) return 'early'
  const p = isOver ? pCorrected : (anytime?.pCorrected ?? 1)
  if (p >= alpha) return 'same'
  return difference.estimate > 0 ? 'better' : 'worse'
}

/** Ends of an axis that holds every interval and nought, with a little air. */
export function axisOf(comparisons: readonly ArmComparison[]): { low: number; high: number } {
  const ends = comparisons.flatMap(({ difference, anytime }) => [
    difference.low,
    difference.high,
    ...(anytime ? [anytime.low, anytime.high] : []),
  ])
  const finite = ends.filter(Number.isFinite)
  const low = Math.min(0, ...finite)
  const high = Math.max(0, ...finite)
  const air = (high - low || 1) * 0.06
  return { low: low - air, high: high + air }
}
