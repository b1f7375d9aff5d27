import { sql } from 'kysely'
import type { Database } from '../db/database.ts'

/** Counting that is over so soon is done anew for whoever asks. */
const QUICK_MS = 100
/** Longer counting is followed by so many times its own length without any. */
const REST = 50

interface Counted {
  counts: Map<string, number>
  at: number
  tookMs: number
}

/**
 * How many events of each kind there are. Counting walks through the whole log; once that takes a while, figures may be
 * some minutes old. Kinds are never missing, nor is a new one without its figure.
 */
export class EventCounts {
  readonly #analytics: Database['analytics']
  readonly #quickMs: number
  readonly #rest: number
  #counted: Counted | undefined
  #counting: Promise<Counted> | undefined

  constructor(analytics: Database['analytics'], { quickMs = QUICK_MS, rest = REST } = {}) {
    this.#analytics = analytics
    this.#rest = rest
    this.#quickMs = quickMs
  }

  /** By name; without those of which there is none. */
  async read(): Promise<Map<string, number>> {
    const counted = this.#counted
    if (!counted || counted.tookMs <= this.#quickMs) return (await this.#countAll()).counts
    // Whoever asks now is not kept waiting for what the next will see.
    if (performance.now() - counted.at > counted.tookMs * this.#rest) this.#countAll().catch(() => {})
    const counts = new Map<string, number>()
    for (const name of await this.#readNames()) {
      const count = counted.counts.get(name) ?? (await this.#countOne(name))
      counted.counts.set(name, count)
      if (count > 0) counts.set(name, count)
    }
    return counts
  }

  #countAll(): Promise<Counted> {
    this.#counting ??= this.#count().finally(() => (this.#counting = undefined))
    return this.#counting
  }

  async #count(): Promise<Counted> {
    const began = performance.now()
    const rows = await this.#analytics
      .selectFrom('timeline')
      .select(['name', sql<number>`count(*)`.as('count')])
      .where('current', '=', 1)
      .groupBy('name')
      .execute()
    const at = performance.now()
    const counts = new Map(rows.map(({ name, count }) => [name, Number(count)]))
    this.#counted = { counts, at, tookMs: at - began }
    return this.#counted
  }

  async #countOne(name: string): Promise<number> {
    const { count } = await this.#analytics
      .selectFrom('timeline')
      .select(sql<number>`count(*)`.as('count'))
      .where('name', '=', name)
      .where('current', '=', 1)
      .executeTakeFirstOrThrow()
    return Number(count)
  }

  /** From one name to the next in the index: as many steps as there are kinds, however many events there are. */
  async #readNames(): Promise<string[]> {
    const { rows } = await sql<{ name: string }>`
      with recursive kinds(name) as (
        select min(name) from timeline
        union all
        select (select min(t.name) from timeline t where t.name > kinds.name) from kinds where kinds.name is not null
      )
      select name from kinds where name is not null`.execute(this.#analytics)
    return rows.map(({ name }) => name)
  }
}
