/** What may pass in a second. */
export interface ThrottleRates {
  readonly messages: number
  readonly bytes: number
}

const strikeMs = 1_000

/** Lets so much pass in a second and no more; twice as much at once after a quiet second. */
export class Throttle {
  readonly #rates: ThrottleRates
  readonly #onStrike: (strikes: number) => void
  #messages: number
  #bytes: number
  #refilledAt = performance.now()
  #timer: NodeJS.Timeout | undefined
  #strikes = 0
  /** Since when it has been held back without a second of quiet in between. */
  #heldSince: number | undefined
  #heldUntil = 0

  constructor(rates: ThrottleRates, onStrike: (strikes: number) => void) {
    this.#rates = rates
    this.#onStrike = onStrike
    this.#messages = rates.messages * 2
    this.#bytes = rates.bytes * 2
  }

  spend(bytes: number): void {
    this.#messages--
    this.#bytes -= bytes
  }

  /** Whether nothing more may pass for now. */
  isSpent(): boolean {
    if (this.#messages > 0 && this.#bytes > 0) return false
    this.#refill()
    return this.#messages <= 0 || this.#bytes <= 0
  }

  /** Calls `next` once something may pass again. */
  whenRefilled(next: () => void): void {
    if (this.#timer) return
    this.#countStrike()
    const missing = Math.max(-this.#bytes / this.#rates.bytes, -this.#messages / this.#rates.messages, 0.05)
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#heldUntil = performance.now()
      next()
    }, missing * 1_000).unref()
  }

  dispose(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #refill(): void {
    const now = performance.now()
    const seconds = (now - this.#refilledAt) / 1_000
    this.#refilledAt = now
    const { messages, bytes } = this.#rates
    this.#messages = Math.min(messages * 2, this.#messages + seconds * messages)
    this.#bytes = Math.min(bytes * 2, this.#bytes + seconds * bytes)
  }

  #countStrike(): void {
    const now = performance.now()
    if (this.#heldSince === undefined || now - this.#heldUntil > strikeMs) {
      this.#heldSince = now
      this.#strikes = 0
    }
    const strikes = Math.floor((now - this.#heldSince) / strikeMs) + 1
    if (strikes === this.#strikes) return
    this.#strikes = strikes
    this.#onStrike(strikes)
  }
}
