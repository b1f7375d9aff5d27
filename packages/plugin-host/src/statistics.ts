import type { WireError } from './wire-error.ts'

/** How a plugin has been doing since the server started. */
export interface RunningFigures {
  activatedAt: number | undefined
  activationMs: number | undefined
  /** What activated it, for instance `onScorer:rfm`. */
  reason: string | undefined
  calls: number
  errors: number
  crashes: number
  /** Starts after a crash. */
  restarts: number
  /** Milliseconds a call took, over the last calls; `undefined` before the first. */
  p50: number | undefined
  p95: number | undefined
  lastError: WireError | undefined
}

const keptDurations = 200

/** Counts calls and times the last of them. */
export class Statistics {
  activatedAt: number | undefined
  activationMs: number | undefined
  reason: string | undefined
  crashes = 0
  restarts = 0
  lastError: WireError | undefined
  #calls = 0
  #errors = 0
  readonly #durations: number[] = []

  record(durationMs: number, error?: WireError): void {
    this.#durations[this.#calls++ % keptDurations] = durationMs
    if (!error) return
    this.#errors++
    this.lastError = error
  }

  figures(): RunningFigures {
    const { activatedAt, activationMs, reason, crashes, restarts, lastError } = this
    const sorted = this.#durations.toSorted((a, b) => a - b)
    const percentile = (share: number) => sorted[Math.ceil(sorted.length * share) - 1]
    return {
      activatedAt,
      activationMs,
      reason,
      calls: this.#calls,
      errors: this.#errors,
      crashes,
      restarts,
      p50: percentile(0.5),
      p95: percentile(0.95),
      lastError,
    }
  }
}
