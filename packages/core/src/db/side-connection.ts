import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'

/** Longest that an answer may take before the connection counts as dead. */
const ANSWER_MS = 5_000
const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 4_000

/**
 * A connection beside the pool, which long queries may have used up: the node says over it that it lives, and hears
 * over it what other nodes tell. Comes back by itself when it was lost.
 */
export class SideConnection {
  readonly #url: string
  readonly #channel: string
  readonly #onNotice: (payload: string) => void
  readonly #onBack: () => void
  #client: pg.Client | undefined
  #opening: Promise<pg.Client> | undefined
  #closed = false

  constructor(options: {
    url: string
    channel: string
    onNotice: (payload: string) => void
    /** Called when it is there, first and again: something may have been told while it was not. */
    onBack: () => void
  }) {
    this.#url = options.url
    this.#channel = options.channel
    this.#onNotice = options.onNotice
    this.#onBack = options.onBack
  }

  /** Opens it and keeps it open until `close`. */
  async open(): Promise<void> {
    await this.#connected()
  }

  /** Asks, and throws when the answer takes too long; then the next question goes over a new connection. */
  async query<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    const asked = performance.now()
    const client = await within(this.#connected(), ANSWER_MS)
    try {
      const left = Math.max(1, ANSWER_MS - (performance.now() - asked))
      return (await within(client.query<Row>(text, values), left)).rows
    } catch (error) {
      // An error of the statement leaves the connection whole; silence and a broken one do not.
      if (!(error instanceof pg.DatabaseError)) this.#drop(client)
      throw error
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    const client = this.#client
    this.#client = undefined
    await client?.end().catch(() => {})
  }

  #connected(): Promise<pg.Client> {
    if (this.#client) return Promise.resolve(this.#client)
    this.#opening ??= this.#connect().finally(() => (this.#opening = undefined))
    return this.#opening
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.#url,
      application_name: 'huitou node',
      connectionTimeoutMillis: ANSWER_MS,
      keepAlive: true,
    })
    client.on('error', () => this.#drop(client))
    client.on('end', () => this.#drop(client))
    client.on('notification', ({ payload }) => this.#onNotice(payload ?? ''))
    try {
      await client.connect()
      await within(client.query(`listen ${this.#channel}`), ANSWER_MS)
    } catch (error) {
      cut(client)
      throw error
    }
    if (this.#closed) {
      cut(client)
      throw new Error('The connection was closed')
    }
    this.#client = client
    this.#onBack()
    return client
  }

  #drop(client: pg.Client): void {
    cut(client)
    if (this.#client !== client) return
    this.#client = undefined
    void this.#comeBack()
  }

  async #comeBack(): Promise<void> {
    for (let pause = FIRST_PAUSE_MS; !this.#closed; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      try {
        await this.#connected()
        return
      } catch {
        await sleep(pause, undefined, { ref: false })
      }
    }
  }
}

/** Ends a connection without asking the other side, which may not answer. */
export function cut(client: pg.Client): void {
  ;(client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()
}

async function within<T>(answer: Promise<T>, ms: number): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error('The database did not answer in time')), ms)
  try {
    return await Promise.race([answer, late.promise])
  } finally {
    clearTimeout(timer)
    // Who gave up on the answer does not want to hear of it.
    answer.catch(() => {})
  }
}
