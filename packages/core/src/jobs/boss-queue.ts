import { AppError } from '@huitou/plugin-api'
import type pg from 'pg'
import { PgBoss } from 'pg-boss'
import type { Clock } from '../clock.ts'
import type { Logger } from '../context.ts'
import type { Database, Db } from '../db/database.ts'
import { type JobNode, toJob } from './jobs.ts'
import { isFor, LEASE_MS, leaseTime } from './leases.ts'
import type { JobQueue, Taken } from './queue.ts'

/** What pg-boss calls the engines that it knows. */
export const JOBS_BACKENDS = ['postgres', 'citus', 'yugabytedb', 'cockroachdb'] as const
export type JobsBackend = (typeof JOBS_BACKENDS)[number]

/** A worker that says nothing for so long is dead; others get its jobs at the next look of any worker. */
const SILENCE_S = 12
const LOOK_S = 4
/** Of a job that pg-boss should have, it is asked again after so long: a restored database may have lost it. */
const ASK_AGAIN_MS = 60_000
/** Jobs keep saying that they are alive; this only ends one that says so for ever. pg-boss allows no more. */
const LONGEST_S = 24 * 3_600
const TRANSFER = 50
const CONNECTIONS = 3
/** Beside our tables, in the same database: a backup has both. */
const SCHEMA = 'huitou_jobs'

interface Held {
  queue: string
  id: string
  retryCount: number
}

/**
 * Jobs handed round by pg-boss. Whoever puts one in line writes its row and no more, in whatever process; a worker hands
 * due rows to pg-boss under the row's id, of which it takes each once, and gets back those that it is to do.
 */
export class BossQueue implements JobQueue {
  readonly #database: Database
  readonly #db: Db
  readonly #clock: Clock
  readonly #log: Logger
  readonly #backend: JobsBackend
  readonly #queues = new Set<string>()
  readonly #held = new Map<string, Held>()
  #said = ''
  #opened: { boss: PgBoss; pool: pg.Pool } | undefined

  constructor(
    database: Database,
    { clock, log, backend }: { clock: Clock; log: Logger; backend: JobsBackend },
  ) {
    this.#database = database
    this.#db = database.db
    this.#clock = clock
    this.#log = log
    this.#backend = backend
  }

  async open(): Promise<void> {
    if (this.#opened) return
    const pool = this.#database.openPool?.(CONNECTIONS)
    if (!pool) throw new AppError('bug', 'E_JOBS_BACKEND', 'pg-boss needs PostgreSQL')
    const boss = new PgBoss({
      db: { executeSql: (text, values) => pool.query(text, values) },
      backend: this.#backend,
      schema: SCHEMA,
      schedule: false,
      superviseIntervalSeconds: LOOK_S,
      monitorIntervalSeconds: LOOK_S,
      monitorVacuum: false,
    })
    boss.on('error', (error) => this.#log.warn({ error: error.message }, 'Jobs'))
    try {
      await boss.start()
    } catch (error) {
      await pool.end()
      // Asked again at every poll; said once.
      const said = String(error)
      if (said !== this.#said) this.#log.warn({ error: said }, 'Jobs cannot be handed round')
      this.#said = said
      throw error
    }
    this.#said = ''
    this.#opened = { boss, pool }
  }

  async close(): Promise<void> {
    const opened = this.#opened
    this.#opened = undefined
    if (!opened) return
    await opened.boss.stop({ graceful: false })
    await opened.pool.end()
  }

  get #boss(): PgBoss {
    if (!this.#opened) throw new AppError('bug', 'E_JOBS_BACKEND', 'The queue is not open')
    return this.#opened.boss
  }

  async take(kinds: readonly string[], node: JobNode | undefined): Promise<Taken | undefined> {
    await this.#transfer(kinds, node)
    for (const queue of await this.#waiting(kinds, node)) {
      await this.#ensure(queue)
      const [found] = await this.#boss.fetch<{ id: string }>(queue, { includeMetadata: true })
      if (!found) continue
      const held = { queue, id: found.id, retryCount: found.retryCount }
      const taken = await this.#begin(found.data.id, held)
      if (taken) return taken
    }
    return undefined
  }

  async keep({ job }: Taken): Promise<boolean> {
    const held = this.#held.get(job.id)
    if (!held) return false
    const { affected } = (await this.#boss.touch(held.queue, held)) as { affected?: number }
    return affected !== 0
  }

  async letGo({ job }: Taken): Promise<void> {
    const held = this.#held.get(job.id)
    this.#held.delete(job.id)
    if (held) await this.#complete(job.id, held)
  }

  /** pg-boss is done with a job. Put in line again before that, it was refused as one that pg-boss had already. */
  async #complete(id: string, held: Held): Promise<void> {
    await this.#boss.complete(held.queue, held)
    await this.#note(id, null)
  }

  /** When a job that waits was handed to pg-boss, or that it has yet to be. */
  async #note(id: string, handed_at: number | null): Promise<void> {
    const row = this.#db.updateTable('jobs').set({ handed_at }).where('id', '=', id)
    await (handed_at === null ? row.where('state', '=', 'queued') : row).execute()
  }

  /** Hands rows that are due to pg-boss: new ones, and those that it should have had for long. */
  async #transfer(kinds: readonly string[], node: JobNode | undefined): Promise<void> {
    const now = this.#clock.now()
    const rows = await this.#db
      .selectFrom('jobs')
      .select(['id', 'kind', 'place'])
      .where('kind', 'in', kinds)
      .where('run_at', '<=', now)
      .where(isFor(node))
      .where((where) =>
        where.or([
          where.and([where('state', '=', 'queued'), where('handed_at', 'is', null)]),
          where.and([where('state', '=', 'queued'), where('handed_at', '<', now - ASK_AGAIN_MS)]),
          where.and([
            where('state', '=', 'running'),
            where('leased_until', '<', leaseTime(this.#clock) - ASK_AGAIN_MS),
          ]),
        ]),
      )
      .orderBy('run_at')
      .limit(TRANSFER)
      .execute()
    for (const { id, kind, place } of rows) {
      const queue = queueOf(kind, place)
      await this.#ensure(queue)
      // Noted first: whoever completes it meanwhile takes the note away, and it is handed over once more.
      await this.#note(id, now)
      try {
        // Twice is once: the queue takes no second one under a key that it has.
        await this.#boss.send(queue, { id }, { singletonKey: id })
      } catch (error) {
        await this.#note(id, null)
        throw error
      }
    }
  }

  /** Queues in which something may be waiting, the longest first: each costs a question. */
  async #waiting(kinds: readonly string[], node: JobNode | undefined): Promise<string[]> {
    const rows = await this.#db
      .selectFrom('jobs')
      .select(['kind', 'place', ({ fn }) => fn.min('run_at').as('since')])
      .where('kind', 'in', kinds)
      .where('state', 'in', ['queued', 'running'])
      .where('handed_at', 'is not', null)
      .where(isFor(node))
      .where((where) =>
        this.#held.size === 0 ? where.and([]) : where('id', 'not in', [...this.#held.keys()]),
      )
      .groupBy(['kind', 'place'])
      .orderBy('since')
      .execute()
    return rows.map(({ kind, place }) => queueOf(kind, place))
  }

  /** Makes the row this worker's. One that was paused or cancelled meanwhile is done with here. */
  async #begin(id: string, held: Held): Promise<Taken | undefined> {
    const now = this.#clock.now()
    const row = await this.#db
      .updateTable('jobs')
      .set((set) => ({
        state: 'running' as const,
        leased_until: leaseTime(this.#clock) + LEASE_MS,
        started_at: set.fn.coalesce('started_at', set.val(now)),
        attempts: set('attempts', '+', 1),
      }))
      .where('id', '=', id)
      .where('state', 'in', ['queued', 'running'])
      .where('run_at', '<=', now)
      .returningAll()
      .executeTakeFirst()
    if (!row) {
      await this.#complete(id, held)
      return undefined
    }
    this.#held.set(id, held)
    return { job: toJob(row), attempt: row.attempts }
  }

  async #ensure(queue: string): Promise<void> {
    if (this.#queues.has(queue)) return
    await this.#boss.createQueue(queue, {
      policy: 'exclusive',
      heartbeatSeconds: SILENCE_S,
      expireInSeconds: LONGEST_S,
      // How often a job is tried stands in its row; here it only comes back when its worker is gone.
      retryLimit: 1_000_000,
      deleteAfterSeconds: 3_600,
    })
    this.#queues.add(queue)
  }
}

/** One queue for each kind, and one for each kind and folder where files are needed. */
function queueOf(kind: string, place: string | null): string {
  const name = kind.replaceAll(/[^\w.-]/g, '_')
  return place === null ? name : `${name}/${place}`
}
