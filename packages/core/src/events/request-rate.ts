import type { Clock } from '../clock.ts'

/** A bucket of requests per sender that refills by the second. */
export class RequestRate {
  readonly #clock: Clock
  readonly #perSecond: number
  readonly #buckets = new Map<string, { left: number; at: number }>()

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock
    this.#perSecond = perSecond
  }

  /** Takes one request; answers 0, or the milliseconds after which to come back. */
  take(sender: string): number {
    const now = this.#clock.now()
    const bucket = this.#buckets.get(sender) ?? { left: this.#perSecond, at: now }
    // A clock that was set back takes nothing away.
    const passed = Math.max(0, now - bucket.at) / 1_000
    const refilled = Math.min(this.#perSecond, bucket.left + passed * this.#perSecond)
    const left = refilled >= 1 ? refilled - 1 : refilled
    this.#buckets.set(sender, { left, at: now })
    return refilled >= 1 ? 0 : Math.ceil(((1 - refilled) / this.#perSecond) * 1_000)
  }
}
