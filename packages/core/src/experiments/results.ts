import type { CoreContext } from '../context.ts'
import { ANYTIME_FROM, anytime, cautiousError } from './anytime.ts'
import { expectedShares } from './assignment.ts'
import {
  adjustByBefore,
  type Comparison,
  compareByNormal,
  compareMeans,
  compareProportions,
  compareRelatively,
  type Interval,
  type Moments,
  ratioSample,
  type Sample,
  sampleOf,
  wilson,
} from './compare.ts'
import { controlOf, type Metric } from './definition.ts'
import { checkSampleRatio, holm, type SampleRatio } from './many.ts'
import { readMoments, readReach } from './metrics.ts'
import type { Experiment } from './queries.ts'

type Estimate = Interval & { estimate: number }

export interface ArmFigures {
  arm: string
  /** Customers whose window is over. */
  customers: number
  /** All of them together; the numerator of a ratio. */
  total: number
  /** Per customer: share of converted, mean, or the ratio. Minor units for money. */
  value: number
  /** Of a plain conversion only. */
  interval: Interval | null
}

export interface ArmComparison {
  arm: string
  against: string
  test: 'proportions' | 'welch' | 'cuped' | 'delta'
  difference: Estimate
  /** Of the control's value: 0.2 is a fifth more. */
  relative: Estimate | null
  statistic: number
  df: number | null
  p: number
  /** Corrected for all comparisons of the experiment. */
  pCorrected: number
  /** For those who look before the end; `null` while an arm has fewer than 100 customers. */
  anytime: (Interval & { p: number; pCorrected: number }) | null
  /** What the arm's customers did beyond what they would have done in the control. None for a ratio. */
  incremental: (Estimate & { anytime: Interval | null }) | null
}

export interface MetricResult {
  key: string
  kind: Metric['kind']
  arms: ArmFigures[]
  comparisons: ArmComparison[]
}

export interface ExperimentResults {
  asOf: number
  control: string
  alpha: number
  arms: { arm: string; customers: number; share: number }[]
  /** Customers left out because they met several arms before two records became one. */
  mixed: number
  sampleRatio: SampleRatio
  metrics: MetricResult[]
}

type Context = Pick<CoreContext, 'database' | 'clock' | 'brand'>

/** How the arms stand now. Reads the events of everybody in the experiment. */
export async function readResults(context: Context, experiment: Experiment): Promise<ExperimentResults> {
  const { alpha, metrics } = experiment
  const control = controlOf(experiment)
  const reach = await readReach(context, experiment)
  const arms = [...expectedShares(experiment)]
    .filter(([, share]) => share > 0)
    .map(([arm, share]) => ({ arm, share, customers: reach.arms.get(arm) ?? 0 }))
  const results = []
  for (const metric of metrics) {
    const moments = await readMoments(context, experiment, metric)
    results.push(
      compareArms(
        metric,
        arms.map(({ arm }) => ({ arm, moments: moments.get(arm) ?? NOBODY })),
        { ...experiment, control },
      ),
    )
  }
  correct(results)
  return {
    asOf: context.clock.now(),
    control,
    alpha,
    arms,
    mixed: reach.mixed,
    sampleRatio: checkSampleRatio(arms),
    metrics: results,
  }
}

const NOBODY: Moments = { n: 0, y: 0, yy: 0, x: 0, xx: 0, xy: 0 }

interface CompareOptions {
  control: string
  alpha: number
  plannedCustomers: number
}

/** One metric: each arm's figures, and every arm against the control. Not yet corrected for other metrics. */
export function compareArms(
  metric: Metric,
  arms: readonly { arm: string; moments: Moments }[],
  { control, alpha, plannedCustomers }: CompareOptions,
): MetricResult {
  const samples = samplesOf(
    metric,
    arms.map(({ moments }) => moments),
  )
  const all = arms.map((entry, index) => ({ ...entry, sample: samples[index] as Sample }))
  const base = all.find(({ arm }) => arm === control)
  const others = all.filter(({ arm }) => arm !== control)
  const shown = metric.kind === 'ratio' ? ratioSample : sampleOf
  return {
    key: metric.key,
    kind: metric.kind,
    arms: arms.map(({ arm, moments }) => ({
      arm,
      customers: moments.n,
      total: moments.y,
      value: shown(moments).mean,
      interval: metric.kind === 'conversion' ? wilson(moments.y, moments.n, alpha) : null,
    })),
    comparisons: others
      .filter(({ moments }) => base && base.moments.n > 1 && moments.n > 1)
      .map((entry) => compareArm(metric, [entry, base as Compared], { alpha, plannedCustomers })),
  }
}

interface Compared {
  arm: string
  moments: Moments
  sample: Sample
}

function compareArm(
  metric: Metric,
  [treated, control]: [Compared, Compared],
  { alpha, plannedCustomers }: Omit<CompareOptions, 'control'>,
): ArmComparison {
  const test = testOf(metric)
  const found = compare(test, [treated, control], alpha)
  const customers = treated.moments.n + control.moments.n
  const error = cautiousError(treated.sample, control.sample)
  const always =
    Math.min(treated.moments.n, control.moments.n) < ANYTIME_FROM || error === 0
      ? null
      : anytime({ estimate: found.estimate, error }, customers, { alpha, planned: plannedCustomers })
  const { n } = treated.moments
  const times = ({ low, high }: Interval) => ({ low: low * n, high: high * n })
  return {
    arm: treated.arm,
    against: control.arm,
    test,
    difference: { estimate: found.estimate, low: found.low, high: found.high },
    relative: compareRelatively(treated.sample, control.sample, alpha) ?? null,
    statistic: found.statistic,
    df: found.df ?? null,
    p: found.p,
    pCorrected: found.p,
    anytime: always && { ...always, pCorrected: always.p },
    incremental:
      test === 'delta'
        ? null
        : { estimate: found.estimate * n, ...times(found), anytime: always && times(always) },
  }
}

function compare(
  test: ArmComparison['test'],
  [treated, control]: [Compared, Compared],
  alpha: number,
): Comparison {
  if (test === 'delta') return compareByNormal(treated.sample, control.sample, alpha)
  if (test !== 'proportions') return compareMeans(treated.sample, control.sample, alpha)
  return compareProportions(
    { successes: treated.moments.y, n: treated.moments.n },
    { successes: control.moments.y, n: control.moments.n },
    alpha,
  )
}

function testOf(metric: Metric): ArmComparison['test'] {
  if (metric.kind === 'ratio') return 'delta'
  if (metric.cuped) return 'cuped'
  return metric.kind === 'conversion' ? 'proportions' : 'welch'
}

function samplesOf(metric: Metric, moments: readonly Moments[]): Sample[] {
  if (metric.kind === 'ratio') return moments.map(ratioSample)
  return metric.cuped ? adjustByBefore(moments) : moments.map(sampleOf)
}

/** Whoever asks several questions gets a yes by accident more often: Holm over all of them. */
export function correct(results: readonly MetricResult[]): void {
  const all = results.flatMap(({ comparisons }) => comparisons)
  const fixed = holm(all.map(({ p }) => p))
  const always = holm(all.map((comparison) => comparison.anytime?.p ?? 1))
  for (const [index, comparison] of all.entries()) {
    comparison.pCorrected = fixed[index] as number
    if (comparison.anytime) comparison.anytime.pCorrected = always[index] as number
  }
}
