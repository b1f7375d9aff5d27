import { AppError } from '@huitou/plugin-api'

const atOnce = 16
const burst = 120
const perSecond = 20

interface Use {
  running: number
  tokens: number
  at: number
}

/** How much of the network one plugin may take: requests at once, and requests over time. */
export class FetchRate {
  readonly #clock: { now(): number }
  readonly #uses = new Map<string, Use>()

  constructor(clock: { now(): number }) {
    this.#clock = clock
  }

  /** Counts a request in, or throws `E_FETCH_BUSY`. Returns the function that counts it out. */
  enter(pluginId: string): () => void {
    const now = this.#clock.now()
    const use = this.#uses.get(pluginId) ?? { running: 0, tokens: burst, at: now }
    this.#uses.set(pluginId, use)
    use.tokens = Math.min(burst, use.tokens + (Math.max(0, now - use.at) / 1_000) * perSecond)
    use.at = now
    if (use.running >= atOnce || use.tokens < 1) {
      throw new AppError('world', 'E_FETCH_BUSY', `Plugin "${pluginId}" sends more requests than it may`, {
        status: 429,
        hint: `${atOnce} at once and ${perSecond} a second are the most.`,
      })
    }
    use.running++
    use.tokens--
    return () => void use.running--
  }
}
