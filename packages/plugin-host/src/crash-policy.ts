const windowMs = 5 * 60_000
const crashesToQuarantine = 3
const firstPauseMs = 1_000

export type Verdict = { quarantine: true } | { quarantine: false; retryAt: number }

/** Decides what happens to a plugin that crashed: a pause that doubles, or quarantine at the third in five minutes. */
export class CrashPolicy {
  #crashes: number[] = []

  crashed(now: number): Verdict {
    this.#crashes = [...this.#crashes.filter((at) => at > now - windowMs), now]
    if (this.#crashes.length >= crashesToQuarantine) return { quarantine: true }
    return { quarantine: false, retryAt: now + firstPauseMs * 2 ** (this.#crashes.length - 1) }
  }

  /** Forgets all crashes: the owner wants to try again. */
  reset(): void {
    this.#crashes = []
  }
}
