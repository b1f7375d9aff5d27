import { notFound, userError } from '@huitou/plugin-api'
import { v7 as uuid } from 'uuid'
import type { Clock } from '../clock.ts'
import type { Database, Db } from '../db/database.ts'
import type { Notices } from '../db/notices.ts'
import { EmbeddedQueue } from './embedded-queue.ts'
import type { JobQueue } from './queue.ts'
import { JobRunner } from './runner.ts'
import type { JobState, JobTables } from './tables.ts'

export interface JobProgress {
  done: number
  total: number | null
  /** What is counted, a word of the API: `rows`, `events`, `customers`. */
  unit: string
}

export interface Job {
  id: string
  kind: string
  title: string
  state: JobState
  payload: Record<string, unknown>
  progress: JobProgress
  result: Record<string, unknown> | null
  error: { code: string; message: string; hint?: string; details?: Record<string, unknown> } | null
  createdAt: number
  startedAt: number | null
  finishedAt: number | null
}

export interface JobContext {
  readonly job: Job
  /**
   * Aborts when someone pauses or cancels the job, or the server stops. Return soon after; the job runs again
   * from your own checkpoint.
   */
  readonly signal: AbortSignal
  /** Shows progress. Cheap: written at most a few times a second. */
  progress(progress: JobProgress): void
}

/** Does the work; may be called again after a crash, so it keeps its own checkpoint in the tables it writes. */
export type JobHandler = (context: JobContext) => Promise<Record<string, unknown> | void>

export interface NewJob {
  kind: string
  title: string
  payload?: Record<string, unknown>
  /** While a job with this key is unfinished, asking again returns that one. */
  key?: string
  runAt?: number
  /** It needs files of this data folder: only nodes that have it run the job. */
  here?: boolean
}

/** Work that takes longer than a request. Jobs survive a restart; each runs on one node at a time. */
export interface Jobs {
  /** Says who does jobs of `kind`. */
  define(kind: string, handler: JobHandler): void
  enqueue(job: NewJob): Promise<Job>
  /** Unfinished ones first, then the newest. */
  list(limit: number): Promise<Job[]>
  get(id: string): Promise<Job>
  /** The latest that was asked for under this key. */
  findByKey(key: string): Promise<Job | undefined>
  pause(id: string): Promise<Job>
  resume(id: string): Promise<Job>
  cancel(id: string): Promise<Job>
  /** Resolves when the job has ended or paused. */
  finished(id: string): Promise<Job>
  onChange(listener: (job: Job) => void): () => void
  /**
   * Runs due jobs until `signal` aborts, then hands running ones back. Of jobs that need files a node runs those of its
   * own folder; one whose role is `web` runs no others.
   */
  run(signal: AbortSignal, node?: JobNode): Promise<void>
}

/** Who runs jobs. */
export interface JobNode {
  /** Its data folder. */
  readonly place: string
  /** Whether it does what any worker may do, beside what needs its folder. */
  readonly takesAll: boolean
}

const UNFINISHED: JobState[] = ['queued', 'running', 'paused']

/** How often somebody who waits for the end of a job looks, should nobody tell. */
const LOOK_MS = 1_000
/** Other nodes hear of progress this often. */
const TELL_MS = 1_000

export interface JobsOptions {
  database: Pick<Database, 'db' | 'notices'>
  clock: Clock
  /** Name of the data folder; undefined where there is no other. */
  place?: string | undefined
  /** Hands jobs round; by their rows when absent. */
  queue?: JobQueue | undefined
}

export function createJobs(options: JobsOptions): Jobs {
  return new StoredJobs(options)
}

/** Jobs in a table of the database: what people see of them, whoever hands them round. */
class StoredJobs implements Jobs {
  readonly #db: Db
  readonly #clock: Clock
  readonly #notices: Notices
  readonly #place: string | null
  readonly #listeners = new Set<(job: Job) => void>()
  readonly #runner: JobRunner
  readonly #told = new Map<string, { state: JobState; at: number }>()

  constructor({ database: { db, notices }, clock, place, queue }: JobsOptions) {
    this.#db = db
    this.#clock = clock
    this.#notices = notices
    this.#place = place ?? null
    this.#runner = new JobRunner({
      db,
      clock,
      queue: queue ?? new EmbeddedQueue(db, clock),
      update: ({ job, attempt }, change) => this.#tryUpdate(job.id, change, attempt),
    })
    notices.on('job', (id) => void this.#hear(id))
    notices.on('missed', () => this.#runner.wake())
  }

  define(kind: string, handler: JobHandler): void {
    this.#runner.define(kind, handler)
  }

  run(signal: AbortSignal, node?: JobNode): Promise<void> {
    return this.#runner.run(signal, node)
  }

  async enqueue(wanted: NewJob): Promise<Job> {
    const { kind, title, payload = {}, key, runAt, here = false } = wanted
    const now = this.#clock.now()
    const inserted = await this.#db
      .insertInto('jobs')
      .values({
        id: uuid(),
        kind,
        unique_key: key ?? null,
        title,
        state: 'queued',
        payload: JSON.stringify(payload),
        progress: JSON.stringify({ done: 0, total: null, unit: 'rows' }),
        result: null,
        error: null,
        attempts: 0,
        run_at: runAt ?? now,
        leased_until: null,
        created_at: now,
        started_at: null,
        finished_at: null,
        wish: null,
        place: here ? this.#place : null,
        handed_at: null,
      })
      .onConflict((conflict) => conflict.doNothing())
      .returningAll()
      .executeTakeFirst()
    if (inserted) return this.#emit(toJob(inserted))
    const present = await this.#db
      .selectFrom('jobs')
      .selectAll()
      .where('unique_key', '=', key ?? '')
      .where('state', 'in', UNFINISHED)
      .executeTakeFirst()
    // It ended between the two statements: try again.
    return present ? toJob(present) : await this.enqueue(wanted)
  }

  async list(limit: number): Promise<Job[]> {
    const rows = await this.#db
      .selectFrom('jobs')
      .selectAll()
      .orderBy((order) => order.case().when('finished_at', 'is', null).then(0).else(1).end())
      .orderBy('created_at', 'desc')
      .limit(limit)
      .execute()
    return rows.map(toJob)
  }

  async get(id: string): Promise<Job> {
    const row = await this.#db.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirst()
    if (!row) throw notFound('Job', id)
    return toJob(row)
  }

  async findByKey(key: string): Promise<Job | undefined> {
    const row = await this.#db
      .selectFrom('jobs')
      .selectAll()
      .where('unique_key', '=', key)
      .orderBy('created_at', 'desc')
      .limit(1)
      .executeTakeFirst()
    return row && toJob(row)
  }

  pause(id: string): Promise<Job> {
    return this.#wish(id, 'pause')
  }

  cancel(id: string): Promise<Job> {
    return this.#wish(id, 'cancel')
  }

  async resume(id: string): Promise<Job> {
    const job = await this.get(id)
    if (job.state !== 'paused' && job.state !== 'failed') return job
    return await this.#update(id, {
      state: 'queued',
      run_at: this.#clock.now(),
      error: null,
      finished_at: null,
      handed_at: null,
      wish: null,
    })
  }

  async finished(id: string): Promise<Job> {
    const hasEnded = (job: Job) => job.state !== 'queued' && job.state !== 'running'
    const ended = Promise.withResolvers<Job>()
    const settle = (job: Job) => {
      if (job.id === id && hasEnded(job)) ended.resolve(job)
    }
    const stop = this.onChange(settle)
    // Another process may be at it, and what it tells may be lost.
    const look = () => void this.get(id).then(settle, ended.reject)
    look()
    const timer = setInterval(look, LOOK_MS)
    try {
      return await ended.promise
    } finally {
      clearInterval(timer)
      stop()
    }
  }

  onChange(listener: (job: Job) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  async #wish(id: string, what: 'pause' | 'cancel'): Promise<Job> {
    const job = await this.get(id)
    if (!UNFINISHED.includes(job.state)) {
      throw userError('E_JOB_ENDED', `The job "${job.title}" has ended already`, { status: 409 })
    }
    if (job.state === 'running') {
      await this.#update(id, { wish: what })
      this.#runner.interrupt(id, what)
      return await this.get(id)
    }
    if (what === 'pause') return await this.#update(id, { state: 'paused' })
    return await this.#update(id, { state: 'cancelled', finished_at: this.#clock.now(), wish: null })
  }

  async #update(id: string, change: Partial<JobTables['jobs']>): Promise<Job> {
    const job = await this.#tryUpdate(id, change)
    if (!job) throw notFound('Job', id)
    return job
  }

  async #tryUpdate(
    id: string,
    change: Partial<JobTables['jobs']>,
    attempt?: number,
  ): Promise<Job | undefined> {
    let query = this.#db
      .updateTable('jobs')
      // An update that changes nothing says who has the job.
      .set(Object.keys(change).length > 0 ? change : { id })
      .where('id', '=', id)
    if (attempt !== undefined) query = query.where('attempts', '=', attempt).where('state', '=', 'running')
    const row = await query.returningAll().executeTakeFirst()
    return row && this.#emit(toJob(row))
  }

  #emit(job: Job): Job {
    for (const listener of this.#listeners) listener(job)
    this.#runner.wake()
    const { state, at } = this.#told.get(job.id) ?? {}
    const now = performance.now()
    if (state !== job.state || now - (at ?? 0) >= TELL_MS) {
      if (job.finishedAt === null) this.#told.set(job.id, { state: job.state, at: now })
      else this.#told.delete(job.id)
      this.#notices.tell('job', job.id)
    }
    return job
  }

  /** Something became of a job on another node. */
  async #hear(id: string): Promise<void> {
    this.#runner.wake()
    if (this.#listeners.size === 0) return
    const job = await this.get(id).catch(() => undefined)
    if (job) for (const listener of this.#listeners) listener(job)
  }
}

export function toJob(row: JobTables['jobs']): Job {
  return {
    id: row.id,
    kind: row.kind,
    title: row.title,
    state: row.state,
    payload: JSON.parse(row.payload) as Job['payload'],
    progress: JSON.parse(row.progress) as JobProgress,
    result: row.result === null ? null : (JSON.parse(row.result) as Job['result']),
    error: row.error === null ? null : (JSON.parse(row.error) as Job['error']),
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  }
}
