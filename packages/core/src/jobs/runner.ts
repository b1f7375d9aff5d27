import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '@huitou/plugin-api'
import type { Clock } from '../clock.ts'
import { type Db, transact } from '../db/database.ts'
import { type Job, type JobHandler, type JobNode, type JobProgress, toJob } from './jobs.ts'
import type { JobState, JobTables } from './tables.ts'

const LEASE_MS = 30_000
const POLL_MS = 1_000
const CONCURRENCY = 3
const MAX_ATTEMPTS = 5
/** Progress is written, and wishes are read, this often. */
const TICK_MS = 250

type Interruption = 'pause' | 'cancel' | 'stopping'

const STATE_AFTER: Record<Interruption, JobState> = {
  pause: 'paused',
  cancel: 'cancelled',
  stopping: 'queued',
}

export interface RunnerDeps {
  db: Db
  clock: Clock
  /** Changes a job's row and tells who listens. */
  update(id: string, change: Partial<JobTables['jobs']>): Promise<Job>
}

/** Leases due jobs, runs their handlers, and writes down how they ended. */
export class JobRunner {
  readonly #deps: RunnerDeps
  readonly #handlers = new Map<string, JobHandler>()
  readonly #running = new Map<string, AbortController>()
  #rouse: () => void = () => {}

  constructor(deps: RunnerDeps) {
    this.#deps = deps
  }

  define(kind: string, handler: JobHandler): void {
    this.#handlers.set(kind, handler)
  }

  wake(): void {
    this.#rouse()
  }

  interrupt(id: string, reason: Interruption): void {
    this.#running.get(id)?.abort(reason)
  }

  async run(signal: AbortSignal, _node?: JobNode): Promise<void> {
    const active = new Set<Promise<void>>()
    while (!signal.aborted) {
      // A database that is away for a moment is asked again at the next poll.
      const job = active.size < CONCURRENCY ? await this.#leaseDue().catch(() => undefined) : undefined
      if (!job) {
        await this.#rest(signal)
        continue
      }
      // What could not be written down is done again once the lease has run out.
      const work = this.#execute(job, signal)
        .catch(() => {})
        .finally(() => active.delete(work))
      active.add(work)
    }
    await Promise.all(active)
  }

  async #rest(signal: AbortSignal): Promise<void> {
    const nap = new AbortController()
    const roused = new Promise<void>((resolve) => (this.#rouse = resolve))
    const over = sleep(POLL_MS, undefined, { signal: AbortSignal.any([signal, nap.signal]) }).catch(() => {})
    await Promise.race([over, roused])
    nap.abort()
  }

  async #leaseDue(): Promise<Job | undefined> {
    const now = this.#deps.clock.now()
    const kinds = [...this.#handlers.keys()]
    if (kinds.length === 0) return undefined
    return await transact(this.#deps.db, async (tx) => {
      const due = await tx
        .selectFrom('jobs')
        .selectAll()
        .where('kind', 'in', kinds)
        .where('run_at', '<=', now)
        .where((where) =>
          where.or([
            where('state', '=', 'queued'),
            where.and([where('state', '=', 'running'), where('leased_until', '<', now)]),
          ]),
        )
        .orderBy('run_at')
        .limit(10)
        .execute()
      for (const row of due.filter(({ id }) => !this.#running.has(id))) {
        // Conditional on what was read: of two nodes that saw the same row one gets it.
        const leased = await tx
          .updateTable('jobs')
          .set({
            state: 'running',
            leased_until: now + LEASE_MS,
            started_at: row.started_at ?? now,
            attempts: row.attempts + 1,
          })
          .where('id', '=', row.id)
          .where('state', '=', row.state)
          .where('attempts', '=', row.attempts)
          .returningAll()
          .executeTakeFirst()
        if (leased) return toJob(leased)
      }
      return undefined
    })
  }

  async #execute(job: Job, outer: AbortSignal): Promise<void> {
    const { update, clock } = this.#deps
    const controller = new AbortController()
    this.#running.set(job.id, controller)
    const stop = () => controller.abort('stopping' satisfies Interruption)
    outer.addEventListener('abort', stop, { once: true })
    if (outer.aborted) stop()
    let latest: JobProgress = job.progress
    const tick = setInterval(() => {
      update(job.id, { leased_until: clock.now() + LEASE_MS, progress: JSON.stringify(latest) })
        .then(() => this.#readWish(job.id, controller))
        // A database that is away for a moment is met again at the next tick; the lease outlives many of them.
        .catch(() => {})
    }, TICK_MS)
    try {
      await update(job.id, { leased_until: clock.now() + LEASE_MS })
      const handler = this.#handlers.get(job.kind) as JobHandler
      const result = await handler({
        job,
        signal: controller.signal,
        progress: (progress) => (latest = progress),
      })
      clearInterval(tick)
      await this.#settle(job, controller.signal, {
        progress: JSON.stringify(latest),
        result: JSON.stringify(result ?? {}),
      })
    } catch (error) {
      clearInterval(tick)
      await this.#fail(job, controller.signal, { progress: JSON.stringify(latest), error })
    } finally {
      clearInterval(tick)
      outer.removeEventListener('abort', stop)
      this.#running.delete(job.id)
      this.#rouse()
    }
  }

  async #readWish(id: string, controller: AbortController): Promise<void> {
    const row = await this.#deps.db.selectFrom('jobs').select('wish').where('id', '=', id).executeTakeFirst()
    if (row?.wish && !controller.signal.aborted) controller.abort(row.wish)
  }

  async #settle(
    job: Job,
    signal: AbortSignal,
    { progress, result }: { progress: string; result: string },
  ): Promise<void> {
    if (signal.aborted) return await this.#interrupted(job, signal.reason as Interruption, progress)
    const finished_at = this.#deps.clock.now()
    await this.#deps.update(job.id, {
      state: 'done',
      progress,
      result,
      finished_at,
      leased_until: null,
      wish: null,
    })
  }

  async #fail(
    job: Job,
    signal: AbortSignal,
    { progress, error }: { progress: string; error: unknown },
  ): Promise<void> {
    if (signal.aborted) return await this.#interrupted(job, signal.reason as Interruption, progress)
    const { db, clock, update } = this.#deps
    const row = await db.selectFrom('jobs').select('attempts').where('id', '=', job.id).executeTakeFirst()
    const attempts = row?.attempts ?? 0
    const stored = JSON.stringify(toStoredError(error))
    if (error instanceof AppError && error.kind === 'world' && attempts < MAX_ATTEMPTS) {
      await update(job.id, {
        state: 'queued',
        progress,
        error: stored,
        leased_until: null,
        run_at: clock.now() + 2 ** attempts * 1_000,
      })
      return
    }
    await update(job.id, {
      state: 'failed',
      progress,
      error: stored,
      finished_at: clock.now(),
      leased_until: null,
      wish: null,
    })
  }

  async #interrupted(job: Job, reason: Interruption, progress: string): Promise<void> {
    const state = STATE_AFTER[reason]
    const finished_at = state === 'cancelled' ? this.#deps.clock.now() : null
    await this.#deps.update(job.id, { state, progress, leased_until: null, wish: null, finished_at })
  }
}

/** What is kept of an error: enough for a page to say it in the reader's language. */
function toStoredError(error: unknown): NonNullable<Job['error']> {
  if (!(error instanceof AppError))
    return { code: 'E_UNEXPECTED', message: error instanceof Error ? error.message : String(error) }
  const { code, message, hint, details } = error
  return { code, message, ...(hint ? { hint } : {}), ...(details ? { details } : {}) }
}
