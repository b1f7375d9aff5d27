import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '@huitou/plugin-api'
import type { CoreContext } from '../context.ts'
import { lastTick } from './last-tick.ts'

const LOOK_MS = 1_000
/** A server that was off at the hour makes up for it, unless the next time is near. */
const LATE_MS = 12 * 3_600_000

interface Timing {
  /** Five or six fields, in the brand's time zone; a function may read it from the settings. */
  cron?: string | (() => Promise<string | undefined>)
  /** Milliseconds. */
  every?: number
}

export interface ScheduledWork extends Timing {
  /** The same on every node. */
  name: string
  /**
   * Short: it puts a job in line when there is more to do. A node that dies in the middle leaves the rest to the next
   * time; a job would be taken up by another.
   */
  run(): Promise<void>
}

type Context = Pick<CoreContext, 'database' | 'clock' | 'log' | 'brand'>

/**
 * Work by the clock, on one node only: whichever comes first at a due time takes it, and the others leave it alone.
 * Each due time is met once at most, also when clocks of nodes differ; one that nobody was there for is made up for
 * within twelve hours.
 */
export class Schedules {
  readonly #context: Context
  readonly #works = new Map<string, ScheduledWork>()
  readonly #running = new Set<string>()
  /** Due times that this node has seen met, so that it need not ask again. */
  readonly #met = new Map<string, number>()
  /** Who this is; set when the process joins others. */
  nodeId = ''

  constructor(context: Context) {
    this.#context = context
  }

  /** Says what is to be done and when. Returns what ends it. */
  define(work: ScheduledWork): () => void {
    if ((work.cron === undefined) === (work.every === undefined))
      throw new AppError('bug', 'E_SCHEDULE', `"${work.name}" needs either a cron or an interval`)
    this.#works.set(work.name, work)
    return () => {
      if (this.#works.get(work.name) === work) this.#works.delete(work.name)
    }
  }

  /** Looks again and again until `signal` aborts, and ends after the work in hand. */
  async run(signal: AbortSignal): Promise<void> {
    const { log } = this.#context
    while (!signal.aborted) {
      await this.look().catch((error: unknown) => log.warn({ error: String(error) }, 'Schedules'))
      await sleep(LOOK_MS, undefined, { signal }).catch(() => {})
    }
  }

  /** Does what is due now and nobody has done. Returns the names of what ran here. */
  async look(): Promise<string[]> {
    const works = [...this.#works.values()].filter(({ name }) => !this.#running.has(name))
    const ran = await Promise.all(
      works.map(async (work) => ((await this.#meet(work)) ? work.name : undefined)),
    )
    return ran.filter((name) => name !== undefined)
  }

  async #meet(work: ScheduledWork): Promise<boolean> {
    const { clock, log, database } = this.#context
    this.#running.add(work.name)
    try {
      const now = clock.now()
      const tick = await this.#lastTick(work, now)
      if (tick === undefined || tick <= (this.#met.get(work.name) ?? -1)) return false
      const isMine = await this.#take(work, tick, now)
      this.#met.set(work.name, tick)
      if (!isMine) return false
      const begun = performance.now()
      let error: string | null = null
      try {
        await work.run()
      } catch (cause) {
        error = cause instanceof Error ? cause.message : String(cause)
        log.error({ schedule: work.name, error }, 'Scheduled work failed')
      }
      await database.db
        .updateTable('schedules')
        .set({ took_ms: Math.round(performance.now() - begun), error })
        .where('name', '=', work.name)
        .where('tick', '=', tick)
        .execute()
      return true
    } finally {
      this.#running.delete(work.name)
    }
  }

  async #lastTick({ cron, every }: ScheduledWork, now: number): Promise<number | undefined> {
    if (every !== undefined) return Math.floor(now / every) * every
    const pattern = typeof cron === 'function' ? await cron() : cron
    if (!pattern) return undefined
    const { timeZone } = await this.#context.brand()
    const tick = lastTick(pattern, { now, timeZone })
    return tick > now - LATE_MS ? tick : undefined
  }

  /** Of all nodes that see a due time one gets it. What was never done before is not late. */
  async #take({ name, cron }: ScheduledWork, tick: number, now: number): Promise<boolean> {
    const { db } = this.#context.database
    const row = { tick, node_id: this.nodeId, ran_at: now, took_ms: null, error: null }
    const inserted = await db
      .insertInto('schedules')
      .values({ name, ...row })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .returning('name')
      .executeTakeFirst()
    if (inserted) return cron === undefined
    const taken = await db
      .updateTable('schedules')
      .set(row)
      .where('name', '=', name)
      .where('tick', '<', tick)
      .returning('name')
      .executeTakeFirst()
    return taken !== undefined
  }
}
