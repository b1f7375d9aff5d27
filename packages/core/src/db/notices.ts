import { SideConnection } from './side-connection.ts'

/** Many changes within this time travel as one notice. */
const GATHER_MS = 50
/** PostgreSQL carries 8,000 bytes. */
const LONGEST = 7_500
const CHANNEL = 'huitou'

/** What nodes on one database tell each other. Lost ones cost a poll, so nothing may rest on them alone. */
export interface Notices {
  /** Tells the other nodes, soon. Equal ones within a moment are one. */
  tell(topic: string, detail?: string): void
  /** Called with what another node told; after a connection was lost, with the topic `missed`. */
  on(topic: string, listener: (detail: string) => void): () => void
  /** Listens and tells from now on; before, neither happens. */
  open(): Promise<void>
  /** Asks over the connection that nothing else uses. Fails when there is no answer within seconds. */
  ask<Row extends Record<string, unknown>>(text: string, values?: unknown[]): Promise<Row[]>
  close(): Promise<void>
}

/** One process alone on its database has nobody to tell. */
export const noNotices: Notices = {
  tell: () => {},
  on: () => () => {},
  open: async () => {},
  ask: async () => [],
  close: async () => {},
}

/** Notices over PostgreSQL's LISTEN and NOTIFY. */
export class PostgresNotices implements Notices {
  readonly #listeners = new Map<string, Set<(detail: string) => void>>()
  readonly #side: SideConnection
  readonly #me = crypto.randomUUID().slice(0, 8)
  #waiting = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #isOpen = false

  constructor(url: string) {
    this.#side = new SideConnection({
      url,
      channel: CHANNEL,
      onNotice: (payload) => this.#hear(payload),
      onBack: () => this.#call('missed', ''),
    })
  }

  tell(topic: string, detail = ''): void {
    if (!this.#isOpen) return
    this.#waiting.add(`${topic} ${detail}`)
    this.#timer ??= setTimeout(() => void this.#send(), GATHER_MS).unref()
  }

  on(topic: string, listener: (detail: string) => void): () => void {
    const known = this.#listeners.get(topic) ?? new Set()
    this.#listeners.set(topic, known.add(listener))
    return () => void known.delete(listener)
  }

  async open(): Promise<void> {
    await this.#side.open()
    this.#isOpen = true
  }

  ask<Row extends Record<string, unknown>>(text: string, values: unknown[] = []): Promise<Row[]> {
    return this.#side.query<Row>(text, values)
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    if (this.#isOpen && this.#waiting.size > 0) await this.#send()
    this.#isOpen = false
    await this.#side.close()
  }

  async #send(): Promise<void> {
    this.#timer = undefined
    const waiting = [...this.#waiting]
    this.#waiting = new Set()
    let lines = this.#me
    const payloads: string[] = []
    for (const line of waiting) {
      if (Buffer.byteLength(lines) + Buffer.byteLength(line) > LONGEST) {
        payloads.push(lines)
        lines = this.#me
      }
      lines += `\n${line}`
    }
    payloads.push(lines)
    const texts = payloads.map((_, index) => `pg_notify('${CHANNEL}', $${index + 1})`)
    // Whoever did not hear looks for itself.
    await this.#side.query(`select ${texts.join(', ')}`, payloads).catch(() => {})
  }

  #hear(payload: string): void {
    const [from, ...lines] = payload.split('\n')
    if (from === this.#me) return
    for (const line of lines) {
      const space = line.indexOf(' ')
      this.#call(line.slice(0, space), line.slice(space + 1))
    }
  }

  #call(topic: string, detail: string): void {
    for (const listener of this.#listeners.get(topic) ?? []) listener(detail)
  }
}
