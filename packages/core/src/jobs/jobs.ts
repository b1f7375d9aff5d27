import { setTimeout as sleep } from 'node:timers/promises'
import { AppError, notFound, userError } from '@huitou/plugin-api'
import { v7 as uuid } from 'uuid'
import type { Clock } from '../clock.ts'
import { type Database, transact } from '../db/database.ts'
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
  error: { code: string; message: string; hint?: string } | null
  createdAt: number
  startedAt: number | null
  finishedAt: number | null
}

export interface JobContext {
  readonly job: Job
  /** Aborts when someone pauses or cancels the job, or the server stops. Return soon after; the job runs again from your own checkpoint. */
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
}

/** Work that takes longer than a request. Jobs survive a restart; each runs on one node at a time. */
export interface Jobs {
  /** Says who does jobs of `kind`; `concurrency` of them at once. */
  define(kind: string, handler: JobHandler): void
  enqueue(job: NewJob): Promise<Job>
  list(limit: number): Promise<Job[]>
  get(id: string): Promise<Job>
  pause(id: string): Promise<Job>
  resume(id: string): Promise<Job>
  cancel(id: string): Promise<Job>
  /** Resolves when the job has ended or paused. */
  finished(id: string): Promise<Job>
  onChange(listener: (job: Job) => void): () => void
  /** Runs due jobs until `signal` aborts, then hands running ones back. */
  run(signal: AbortSignal): Promise<void>
}

const LEASE_MS = 30_000
const POLL_MS = 1_000
const CONCURRENCY = 3
const MAX_ATTEMPTS = 5
const PROGRESS_MS = 250

export function createJobs({ db }: Pick<Database, 'db'>, clock: Clock): Jobs {
  const handlers = new Map<string, JobHandler>()
  const listeners = new Set<(job: Job) => void>()
  const running = new Map<string, AbortController>()
  let wake: () => void = () => {}

  const emit = (job: Job) => {
    for (const listener of listeners) listener(job)
    wake()
  }

  async function update(id: string, change: Partial<JobTables['jobs']>): Promise<Job> {
    const row = await db.updateTable('jobs').set(change).where('id', '=', id).returningAll().executeTakeFirst()
    if (!row) throw notFound('Job', id)
    const job = toJob(row)
    emit(job)
    return job
  }

  async function leaseDue(): Promise<Job | undefined> {
    const now = clock.now()
    return await transact(db, async (tx) => {
      const due = await tx
        .selectFrom('jobs')
        .selectAll()
        .where('kind', 'in', [...handlers.keys(), ''])
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
      for (const row of due.filter(({ id }) => !running.has(id))) {
        // Conditional on what was read: of two nodes that saw the same row one gets it.
        const leased = await tx
          .updateTable('jobs')
          .set({ state: 'running', leased_until: now + LEASE_MS, started_at: row.started_at ?? now, attempts: row.attempts + 1 })
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

  async function execute(job: Job, outer: AbortSignal): Promise<void> {
    const controller = new AbortController()
    running.set(job.id, controller)
    const stop = () => controller.abort('stopping')
    outer.addEventListener('abort', stop, { once: true })
    if (outer.aborted) stop()
    let latest = job.progress
    let shown = job.progress
    const keepLease = setInterval(() => {
      if (latest !== shown) shown = latest
      void update(job.id, { leased_until: clock.now() + LEASE_MS, progress: JSON.stringify(latest) })
        .then((current) => readWish(current.id, controller))
        .catch(() => {})
    }, PROGRESS_MS)
    emit(job)
    try {
      const handler = handlers.get(job.kind) as JobHandler
      const result = await handler({ job, signal: controller.signal, progress: (progress) => (latest = progress) })
      clearInterval(keepLease)
      await settle(job, { controller, latest, result: result ?? {} })
    } catch (error) {
      clearInterval(keepLease)
      await fail(job, { controller, latest, error })
    } finally {
      clearInterval(keepLease)
      outer.removeEventListener('abort', stop)
      running.delete(job.id)
      wake()
    }
  }

  async function readWish(id: string, controller: AbortController): Promise<void> {
    const row = await db.selectFrom('jobs').select('wish').where('id', '=', id).executeTakeFirst()
    if (row?.wish && !controller.signal.aborted) controller.abort(row.wish)
  }

  async function settle(job: Job, end: { controller: AbortController; latest: JobProgress; result: Record<string, unknown> }) {
    const progress = JSON.stringify(end.latest)
    const reason = end.controller.signal.aborted ? (end.controller.signal.reason as string) : undefined
    if (reason === undefined) {
      await update(job.id, { state: 'done', progress, result: JSON.stringify(end.result), finished_at: clock.now(), leased_until: null, wish: null })
    } else await interrupted(job, { reason, progress })
  }

  async function fail(job: Job, end: { controller: AbortController; latest: JobProgress; error: unknown }) {
    const progress = JSON.stringify(end.latest)
    if (end.controller.signal.aborted) return await interrupted(job, { reason: end.controller.signal.reason as string, progress })
    const known = end.error instanceof AppError
    const attempts = (await db.selectFrom('jobs').select('attempts').where('id', '=', job.id).executeTakeFirst())?.attempts ?? 0
    const error = JSON.stringify(
      known
        ? { code: (end.error as AppError).code, message: (end.error as AppError).message, hint: (end.error as AppError).hint }
        : { code: 'E_UNEXPECTED', message: end.error instanceof Error ? end.error.message : String(end.error) },
    )
    if (known && (end.error as AppError).kind === 'world' && attempts < MAX_ATTEMPTS) {
      await update(job.id, { state: 'queued', progress, error, leased_until: null, run_at: clock.now() + 2 ** attempts * 1_000 })
      return
    }
    await update(job.id, { state: 'failed', progress, error, finished_at: clock.now(), leased_until: null, wish: null })
  }

  async function interrupted(job: Job, { reason, progress }: { reason: string; progress: string }) {
    const state: JobState = reason === 'pause' ? 'paused' : reason === 'cancel' ? 'cancelled' : 'queued'
    await update(job.id, {
      state,
      progress,
      leased_until: null,
      wish: null,
      finished_at: state === 'cancelled' ? clock.now() : null,
    })
  }

  async function wish(id: string, what: 'pause' | 'cancel'): Promise<Job> {
    const job = toJob(await row(id))
    if (['done', 'failed', 'cancelled'].includes(job.state)) {
      throw userError('E_JOB_ENDED', `The job "${job.title}" has ended already`, { status: 409 })
    }
    if (job.state === 'running') {
      await update(id, { wish: what })
      running.get(id)?.abort(what)
      return await api.get(id)
    }
    if (what === 'pause') return await update(id, { state: 'paused' })
    return await update(id, { state: 'cancelled', finished_at: clock.now(), wish: null })
  }

  async function row(id: string) {
    const found = await db.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirst()
    if (!found) throw notFound('Job', id)
    return found
  }

  const api: Jobs = {
    define: (kind, handler) => void handlers.set(kind, handler),
    async enqueue({ kind, title, payload = {}, key, runAt }) {
      const now = clock.now()
      const inserted = await db
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
        })
        .onConflict((conflict) => conflict.doNothing())
        .returningAll()
        .executeTakeFirst()
      if (inserted) {
        const job = toJob(inserted)
        emit(job)
        return job
      }
      const present = await db
        .selectFrom('jobs')
        .selectAll()
        .where('unique_key', '=', key ?? '')
        .where('state', 'in', ['queued', 'running', 'paused'])
        .executeTakeFirst()
      // It ended between the two statements: try again.
      return present ? toJob(present) : await api.enqueue({ kind, title, payload, key, runAt })
    },
    async list(limit) {
      const rows = await db.selectFrom('jobs').selectAll().orderBy('created_at', 'desc').limit(limit).execute()
      return rows.map(toJob)
    },
    get: async (id) => toJob(await row(id)),
    pause: (id) => wish(id, 'pause'),
    cancel: (id) => wish(id, 'cancel'),
    async resume(id) {
      const job = await api.get(id)
      if (job.state !== 'paused' && job.state !== 'failed') return job
      return await update(id, { state: 'queued', run_at: clock.now(), error: null, finished_at: null, wish: null })
    },
    async finished(id) {
      const ended = (job: Job) => ['done', 'failed', 'cancelled', 'paused'].includes(job.state)
      return await new Promise<Job>((resolve, reject) => {
        const stop = api.onChange((job) => {
          if (job.id !== id || !ended(job)) return
          stop()
          resolve(job)
        })
        api.get(id).then((job) => {
          if (!ended(job)) return
          stop()
          resolve(job)
        }, reject)
      })
    },
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    async run(signal) {
      const active = new Set<Promise<void>>()
      while (!signal.aborted) {
        const job = active.size < CONCURRENCY ? await leaseDue() : undefined
        if (job) {
          const work = execute(job, signal).finally(() => active.delete(work))
          active.add(work)
          continue
        }
        const nap = new AbortController()
        const woken = new Promise<void>((resolve) => (wake = resolve))
        await Promise.race([sleep(POLL_MS, undefined, { signal: AbortSignal.any([signal, nap.signal]) }).catch(() => {}), woken])
        nap.abort()
      }
      await Promise.all(active)
    },
  }
  return api
}

function toJob(row: JobTables['jobs']): Job {
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
