import type { Stage } from '../loop.ts'

/** A stage that fails again and again, or has been at one piece of work for very long. */
export interface StageTrouble {
  stage: string
  kind: 'failing' | 'stuck'
  /** How long already, in milliseconds. */
  lasts: number
  /** Of the last failure; for the log and for people who run the server, not for others. */
  error?: string
}

/** A piece of work is bounded to take seconds. */
const STUCK_MS = 10 * 60_000

/**
 * Knows how the stages of this process are doing. It measures by a clock that nobody sets: a demo shop whose time is
 * wound forward is not stuck.
 */
export class StageHealth {
  readonly #steady: () => number
  readonly #failing = new Map<string, { since: number; error: string }>()
  readonly #atWork = new Map<string, number>()

  constructor(steady: () => number = () => performance.now()) {
    this.#steady = steady
  }

  /** The same stages, watched. */
  watch(stages: readonly Stage[]): Stage[] {
    return stages.map((stage) => ({ name: stage.name, advance: () => this.#advance(stage) }))
  }

  troubles(): StageTrouble[] {
    const now = this.#steady()
    const failing = [...this.#failing].map(([stage, { since, error }]) => ({
      stage,
      kind: 'failing' as const,
      lasts: now - since,
      error,
    }))
    const stuck = [...this.#atWork]
      .filter(([, since]) => now - since > STUCK_MS)
      .map(([stage, since]) => ({ stage, kind: 'stuck' as const, lasts: now - since }))
    return [...failing, ...stuck]
  }

  async #advance(stage: Stage): Promise<boolean> {
    const begun = this.#steady()
    this.#atWork.set(stage.name, begun)
    try {
      const more = await stage.advance()
      this.#failing.delete(stage.name)
      return more
    } catch (error) {
      const since = this.#failing.get(stage.name)?.since ?? begun
      this.#failing.set(stage.name, { since, error: error instanceof Error ? error.message : String(error) })
      throw error
    } finally {
      this.#atWork.delete(stage.name)
    }
  }
}
