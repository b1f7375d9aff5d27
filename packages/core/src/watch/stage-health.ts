import type { Clock } from '../clock.ts'
import type { Stage } from '../loop.ts'

/** A stage that fails again and again, or has been at one piece of work for very long. */
export interface StageTrouble {
  stage: string
  kind: 'failing' | 'stuck'
  since: number
  /** Of the last failure; for the log and for people who run the server, not for others. */
  error?: string
}

/** A piece of work is bounded to take seconds. */
const STUCK_MS = 10 * 60_000

/** Knows how the stages of this process are doing. */
export class StageHealth {
  readonly #clock: Clock
  readonly #failing = new Map<string, { since: number; error: string }>()
  readonly #atWork = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The same stages, watched. */
  watch(stages: readonly Stage[]): Stage[] {
    return stages.map((stage) => ({ name: stage.name, advance: () => this.#advance(stage) }))
  }

  troubles(): StageTrouble[] {
    const now = this.#clock.now()
    const failing = [...this.#failing].map(([stage, { since, error }]) => ({
      stage,
      kind: 'failing' as const,
      since,
      error,
    }))
    const stuck = [...this.#atWork]
      .filter(([, since]) => now - since > STUCK_MS)
      .map(([stage, since]) => ({ stage, kind: 'stuck' as const, since }))
    return [...failing, ...stuck]
  }

  async #advance(stage: Stage): Promise<boolean> {
    const begun = this.#clock.now()
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
