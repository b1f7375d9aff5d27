import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { CoreContext } from '../context.ts'
import { BusinessDays } from '../days.ts'
import { transact } from '../db/database.ts'
import { addColumns, readColumns, retireColumns } from '../profiles/columns.ts'
import { PROFILES_CURSOR } from '../profiles/project.ts'
import { runScoring } from './run.ts'
import { readScorings, type Scoring } from './scorings.ts'

/** Quiet time after the last event before scores are worked out again, and its multiple of the last run's length. */
const QUIET_MS = 3_000
const REST_FACTOR = 20
/** However many events keep coming, scores are not older than this plus one run. */
const LONGEST_WAIT_MS = 300_000

/** Keeps scores and labels in step with profiles: after changes have calmed down, and when a business day begins. */
export interface ScoreStage {
  /** Puts a job in line when scores are out of date. Never runs plugin code itself. */
  advance(): Promise<boolean>
  /** Runs everything that is out of date now, or all with `force`. */
  runAll(options?: { force?: boolean; signal?: AbortSignal }): Promise<{ id: string; customers: number; changed: number; error: string | null }[]>
  /** Scores are out of date whatever else happened: a plugin's settings changed. */
  invalidate(): void
}

export function createScoreStage(context: CoreContext): ScoreStage {
  const { database, clock, points, jobs, log } = context
  let scorings: Scoring[] | undefined
  let revision = 0
  let busyUntil = 0
  let seen: { basis: string; since: number; first: number } | undefined
  const forget = () => {
    scorings = undefined
    revision++
  }
  points.scorers.onDidChange(forget)
  points.segmenters.onDidChange(forget)

  jobs.define('scores', async ({ signal, progress }) => {
    const results = await runAll({ signal, onProgress: (done, total) => progress({ done, total, unit: 'scorers' }) })
    return { scorers: results.length, customers: Math.max(0, ...results.map(({ customers }) => customers)), changed: results.reduce((sum, { changed }) => sum + changed, 0) }
  })

  async function basisNow(): Promise<string> {
    const { timeZone } = await context.brand()
    const cursor = await database.db.selectFrom('cursors').select('position').where('name', '=', PROFILES_CURSOR).executeTakeFirst()
    return `${cursor?.position ?? 0}/${new BusinessDays(timeZone).dayOf(clock.now())}/${revision}`
  }

  async function known(): Promise<Scoring[]> {
    if (scorings) return scorings
    const found = readScorings(points)
    await transact(database.db, async (tx) => {
      const names = new Set(found.flatMap(({ outputs }) => outputs.map(({ name }) => name)))
      const gone = (await readColumns(tx)).filter(({ kind, name }) => (kind === 'score' || kind === 'label') && !names.has(name))
      await addColumns(tx, found.flatMap(({ outputs }) => outputs))
      await retireColumns(tx, gone.map(({ name }) => name))
    })
    return (scorings = found)
  }

  async function runAll({ force = false, signal = new AbortController().signal, onProgress }: { force?: boolean; signal?: AbortSignal; onProgress?: (done: number, total: number) => void } = {}) {
    const all = await known()
    const basis = await basisNow()
    const fresh = await freshAt(basis)
    const due = force ? all : all.filter((scoring) => !fresh.has(runId(scoring)))
    const results: { id: string; customers: number; changed: number; error: string | null }[] = []
    for (const scoring of due) {
      if (signal.aborted) break
      onProgress?.(results.length, due.length)
      const started = performance.now()
      const result = await runScoring(context, scoring, signal).then(
        (figures) => ({ ...figures, error: null }),
        (error: unknown) => {
          const message = error instanceof Error ? error.message : String(error)
          log.warn({ scoring: scoring.id, error: message }, 'A scorer failed')
          return { customers: 0, changed: 0, error: message }
        },
      )
      const took = Math.round(performance.now() - started)
      busyUntil = Math.max(busyUntil, clock.now() + took * REST_FACTOR)
      await remember(runId(scoring), { basis, took, ...result })
      results.push({ id: scoring.id, ...result })
    }
    return results
  }

  async function freshAt(basis: string): Promise<Set<string>> {
    const rows = await database.db.selectFrom('score_runs').select('id').where('basis', '=', basis).execute()
    return new Set(rows.map(({ id }) => id))
  }

  async function remember(id: string, run: { basis: string; took: number; customers: number; changed: number; error: string | null }): Promise<void> {
    const row = { id, basis: run.basis, ran_at: clock.now(), took_ms: run.took, customers: run.customers, changed: run.changed, error: run.error }
    await database.db
      .insertInto('score_runs')
      .values(row)
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ ...row, id: sql.ref('excluded.id') }))
      .execute()
  }

  return {
    invalidate: forget,
    runAll: (options) => runAll(options),
    async advance() {
      const all = await known()
      if (all.length === 0) return false
      const basis = await basisNow()
      const now = clock.now()
      if (seen?.basis !== basis) seen = { basis, since: now, first: seen?.first ?? now }
      const calm = now - seen.since >= QUIET_MS && now >= busyUntil
      if (!calm && now - seen.first < LONGEST_WAIT_MS) return false
      const fresh = await freshAt(basis)
      if (all.some((scoring) => !fresh.has(runId(scoring)))) {
        const text = { en: 'Scores and segments', 'zh-CN': '打分与分层' }
        await jobs.enqueue({ kind: 'scores', key: 'scores', title: JSON.stringify(text) })
      }
      seen = { basis, since: now, first: now }
      return false
    },
  }
}

/** Names a run by scorer and by what it declares, so that a changed declaration runs again. */
function runId({ id, inputs, outputs }: Scoring): string {
  const shape = createHash('sha256').update(JSON.stringify([inputs, outputs.map(({ name, type }) => [name, type])])).digest('base64url')
  return `${id}#${shape.slice(0, 8)}`
}
