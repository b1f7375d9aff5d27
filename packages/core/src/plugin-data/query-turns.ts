import { AppError } from '@huitou/plugin-api'

interface Waiting {
  pluginId: string
  go(): void
}

/** Queries of one plugin that may wait; more are a plugin gone wild. */
const WAITING_LIMIT = 50

/** A query that takes longer makes its plugin a slow one, until one of its queries is quick again. */
const SLOW_MS = 2_000

/**
 * Lets few queries run at once and one of each plugin, so that a busy plugin waits for itself and not others for it.
 * Slow plugins together leave one place free.
 */
export class QueryTurns {
  readonly #most: number
  readonly #running = new Set<string>()
  readonly #waiting: Waiting[] = []
  readonly #slow = new Set<string>()

  constructor(most: number) {
    this.#most = most
  }

  /** Runs `work` when it is the plugin's turn. Time spent waiting counts towards nobody's deadline. */
  async take<T>(pluginId: string, work: () => Promise<T>): Promise<T> {
    await this.#turn(pluginId)
    const started = performance.now()
    try {
      return await work()
    } finally {
      if (performance.now() - started < SLOW_MS) this.#slow.delete(pluginId)
      else this.#slow.add(pluginId)
      this.#running.delete(pluginId)
      this.#next()
    }
  }

  async #turn(pluginId: string): Promise<void> {
    if (this.#waiting.filter((waiting) => waiting.pluginId === pluginId).length >= WAITING_LIMIT) {
      throw new AppError(
        'world',
        'E_QUERY_BUSY',
        `Plugin "${pluginId}" has ${WAITING_LIMIT} queries waiting already`,
        {
          status: 429,
          hint: 'Wait for one query before asking the next.',
        },
      )
    }
    await new Promise<void>((resolve) => {
      this.#waiting.push({ pluginId, go: resolve })
      this.#next()
    })
  }

  #next(): void {
    while (this.#running.size < this.#most) {
      const index = this.#waiting.findIndex(({ pluginId }) => this.#mayRun(pluginId))
      const [next] = index < 0 ? [] : this.#waiting.splice(index, 1)
      if (!next) return
      this.#running.add(next.pluginId)
      next.go()
    }
  }

  #mayRun(pluginId: string): boolean {
    if (this.#running.has(pluginId)) return false
    if (!this.#slow.has(pluginId)) return true
    return [...this.#running].filter((running) => this.#slow.has(running)).length < this.#most - 1
  }
}
