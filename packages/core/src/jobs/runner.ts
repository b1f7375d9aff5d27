import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '@huitou/plugin-api'
import type { Clock } from '../clock.ts'
import type { Db } from '../db/database.ts'
import type { Job, JobHandler, JobNode, JobProgress } from './jobs.ts'
import { LEASE_MS, leaseTime } from './leases.ts'
import type { JobQueue, Taken } from './queue.ts'
import type { JobState, JobTables } from './tables.ts'

const POLL_MS = 1_000
const CONCURRENCY = 3
const MAX_ATTEMPTS = 5
/** Progress is written, and wishes are read, this often. */
const TICK_MS = 250
/** The queue is told that the worker lives this often. */
const KEEP_MS = 3_000

type Interruption = 'pause' | 'cancel' | 'stopping' | 'lost'

/** Of what is somebody else's by now, nothing is written. */
const STATE_AFTER: Record<Exclude<Interruption, 'lost'>, JobState> = {
  pause: 'paused',
  cancel: 'cancelled',
  stopping: 'queued',
}

export interface RunnerDeps {
  db: Db
  clock: Clock
  queue: JobQueue
  /** Changes the row of a job that this worker has, and tells who listens; undefined when it is another's by now. */
  update(taken: Taken, change: Partial<JobTables['jobs']>): Promise<Job | undefined>
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

  async run(signal: AbortSignal, node?: JobNode): Promise<void> {
    const { queue } = this.#deps
    const active = new Set<Promise<void>>()
    while (!signal.aborted) {
      // A database that is away for a moment is asked again at the next poll.
      const taken = active.size < CONCURRENCY ? await this.#take(node).catch(() => undefined) : undefined
      if (!taken) {
        await this.#rest(signal)
        continue
      }
      // What could not be written down is done again once the lease has run out.
      const work = this.#execute(taken, signal)
        .catch(() => {})
        .finally(() => active.delete(work))
      active.add(work)
    }
    await Promise.all(active)
    await queue.close().catch(() => {})
  }

  async #take(node: JobNode | undefined): Promise<Taken | undefined> {
    const { queue } = this.#deps
    const kinds = [...this.#handlers.keys()]
    if (kinds.length === 0) return undefined
    await queue.open()
    const taken = await queue.take(kinds, node)
    // Its lease ran out while it was at it here: it goes on here, or ends as lost.
    return taken && this.#running.has(taken.job.id) ? undefined : taken
  }

  async #rest(signal: AbortSignal): Promise<void> {
    const nap = new AbortController()
    const roused = new Promise<void>((resolve) => (this.#rouse = resolve))
    const over = sleep(POLL_MS, undefined, { signal: AbortSignal.any([signal, nap.signal]) }).catch(() => {})
    await Promise.race([over, roused])
    nap.abort()
  }

  async #execute(taken: Taken, outer: AbortSignal): Promise<void> {
    const { update } = this.#deps
    const { job } = taken
    const controller = new AbortController()
    this.#running.set(job.id, controller)
    const stop = () => controller.abort('stopping' satisfies Interruption)
    outer.addEventListener('abort', stop, { once: true })
    if (outer.aborted) stop()
    let latest: JobProgress = job.progress
    const stopBeating = this.#beat(taken, controller, () => latest)
    // Before it is written down: from then on the job may be resumed, and taken here once more.
    const leave = () => {
      stopBeating()
      outer.removeEventListener('abort', stop)
      if (this.#running.get(job.id) === controller) this.#running.delete(job.id)
    }
    try {
      await update(taken, {})
      const handler = this.#handlers.get(job.kind) as JobHandler
      const result = await handler({
        job,
        signal: controller.signal,
        progress: (progress) => (latest = progress),
      })
      leave()
      await this.#settle(taken, controller.signal, {
        progress: JSON.stringify(latest),
        result: JSON.stringify(result ?? {}),
      })
    } catch (error) {
      leave()
      await this.#fail(taken, controller.signal, { progress: JSON.stringify(latest), error })
    } finally {
      this.#rouse()
    }
  }

  /** Shows progress, reads what people wish, and says that this worker lives, until what it returns is called. */
  #beat(taken: Taken, controller: AbortController, progress: () => JobProgress): () => void {
    const { update, clock, queue } = this.#deps
    const lose = () => controller.abort('lost' satisfies Interruption)
    let kept = performance.now()
    const beat = async () => {
      const row = await update(taken, {
        leased_until: leaseTime(clock) + LEASE_MS,
        progress: JSON.stringify(progress()),
      })
      if (!row) return lose()
      await this.#readWish(taken.job.id, controller)
      if (performance.now() - kept < KEEP_MS) return
      kept = performance.now()
      if (!(await queue.keep(taken))) lose()
    }
    let beating = false
    const timer = setInterval(() => {
      if (beating) return
      beating = true
      // A database that is away for a moment is met again at the next beat; the lease outlives many of them.
      void beat()
        .catch(() => {})
        .finally(() => (beating = false))
    }, TICK_MS)
    return () => clearInterval(timer)
  }

  async #readWish(id: string, controller: AbortController): Promise<void> {
    const row = await this.#deps.db.selectFrom('jobs').select('wish').where('id', '=', id).executeTakeFirst()
    if (row?.wish && !controller.signal.aborted) controller.abort(row.wish)
  }

  async #settle(
    taken: Taken,
    signal: AbortSignal,
    { progress, result }: { progress: string; result: string },
  ): Promise<void> {
    if (signal.aborted) return await this.#interrupted(taken, signal.reason as Interruption, progress)
    await this.#end(taken, { state: 'done', progress, result })
  }

  async #fail(
    taken: Taken,
    signal: AbortSignal,
    { progress, error }: { progress: string; error: unknown },
  ): Promise<void> {
    if (signal.aborted) return await this.#interrupted(taken, signal.reason as Interruption, progress)
    const stored = JSON.stringify(toStoredError(error))
    if (error instanceof AppError && error.kind === 'world' && taken.attempt < MAX_ATTEMPTS) {
      const run_at = this.#deps.clock.now() + 2 ** taken.attempt * 1_000
      return await this.#giveBack(taken, { progress, error: stored, run_at })
    }
    await this.#end(taken, { state: 'failed', progress, error: stored })
  }

  async #interrupted(taken: Taken, reason: Interruption, progress: string): Promise<void> {
    if (reason === 'lost') return
    const state = STATE_AFTER[reason]
    if (state === 'queued') return await this.#giveBack(taken, { progress })
    await this.#end(taken, { state, progress })
  }

  /** It is over, for good or until somebody resumes it. */
  async #end(taken: Taken, change: Partial<JobTables['jobs']> & { state: JobState }): Promise<void> {
    const finished_at = change.state === 'paused' ? null : this.#deps.clock.now()
    await this.#deps.update(taken, { ...change, leased_until: null, wish: null, finished_at })
    await this.#deps.queue.letGo(taken)
  }

  /** It waits again. First the queue lets go of it: it takes no job that it still has. */
  async #giveBack(taken: Taken, change: Partial<JobTables['jobs']>): Promise<void> {
    await this.#deps.queue.letGo(taken)
    await this.#deps.update(taken, {
      ...change,
      state: 'queued',
      leased_until: null,
      handed_at: null,
      wish: null,
    })
  }
}

/** What is kept of an error: enough for a page to say it in the reader's language. */
function toStoredError(error: unknown): NonNullable<Job['error']> {
  if (!(error instanceof AppError))
    return { code: 'E_UNEXPECTED', message: error instanceof Error ? error.message : String(error) }
  const { code, message, hint, details } = error
  return { code, message, ...(hint ? { hint } : {}), ...(details ? { details } : {}) }
}
