import { quintileBreakpoints, rankScores, scoreCount, scoresAbove, scoresFrom } from './bins.ts'
import type { RfmSettings } from './settings.ts'

/** Customers who bought, one a row. */
export interface Buyers {
  /** Stable and all different; they decide between equal values when ranking. */
  keys: readonly string[]
  recencyDays: Float64Array
  orders: Float64Array
  /** Minor units. */
  spend: Float64Array
}

/** 1 to 5 a row; 5 is best, so a recent purchase has a high `r`. */
export interface Scores {
  r: Uint8Array
  f: Uint8Array
  m: Uint8Array
}

/** Scores every buyer. The order of the rows makes no difference. */
export function scoreBuyers(buyers: Buyers, settings: RfmSettings, minorPerMajor: number): Scores {
  const { keys, recencyDays, orders, spend } = buyers
  switch (settings.method) {
    case 'rank': {
      const closeness = recencyDays.map((days) => -days)
      return { r: rankScores(closeness, keys), f: rankScores(orders, keys), m: rankScores(spend, keys) }
    }
    case 'quantile': {
      const score = (values: Float64Array) => scoresAbove(values, quintileBreakpoints(values))
      return { r: upsideDown(score(recencyDays)), f: score(orders), m: score(spend) }
    }
    case 'rfm_r': {
      const score = (values: Float64Array, unit: number) =>
        scoresFrom(
          values,
          quintileBreakpoints(values).map((breakpoint) => breakpoint + unit),
        )
      return { r: upsideDown(score(recencyDays, 1)), f: score(orders, 1), m: score(spend, minorPerMajor) }
    }
    case 'fixed': {
      const { recency, frequency, monetary } = settings.thresholds
      return {
        r: upsideDown(scoresAbove(recencyDays, recency)),
        f: scoresFrom(orders, frequency),
        m: scoresFrom(
          spend,
          monetary.map((amount) => amount * minorPerMajor),
        ),
      }
    }
  }
}

function upsideDown(scores: Uint8Array): Uint8Array {
  return scores.map((score) => scoreCount + 1 - score)
}
