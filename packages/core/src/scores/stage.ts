import { sql } from 'kysely'
import type { CoreContext } from '../context.ts'
import { BusinessDays } from '../days.ts'
import { transact } from '../db/database.ts'
import { addColumns, readColumns, retireColumns } from '../profiles/columns.ts'
import { PROFILES_CURSOR } from '../profiles/project.ts'
import { runScorings } from './run.ts'
import { ScoreModels } from './models.ts'
import { lastTick } from '../nodes/last-tick.ts'
import { readScorings, runId, type Scoring } from './scorings.ts'

/** Quiet time after the last event before scores are worked out again, and its multiple of the last run's length. */
const QUIET_MS = 3_000
const REST_FACTOR = 20
/** However many events keep coming, scores are not older than this plus one run. */
const LONGEST_WAIT_MS = 300_000

/** Counts what is not seen in the log: other plugins, other settings. All nodes see the same. */
const REVISION = 'scores'

/** What one scorer's run came to. */
export interface ScoringRun {
  id: string
  customers: number
  changed: number
  error: string | null
}

export interface RunAllOptions {
  /** Also what is up to date. */
  force?: boolean
  signal?: AbortSignal
  onProgress?: (done: number, total: number) => void
}

/** Keeps scores and labels in step with profiles: after changes have calmed down, and when a business day begins. */
export class ScoreStage {
  readonly #context: CoreContext
  readonly #models: ScoreModels
  #scorings: Scoring[] | undefined
  /** What was invalidated and is not written down yet. */
  #noting: Promise<unknown> = Promise.resolve()
  #lastRevision: number | undefined
  #restUntil = 0
  #seen: { basis: string; since: number; first: number } | undefined

  constructor(context: CoreContext) {
    this.#context = context
    this.#models = new ScoreModels(context)
    const { points, jobs } = context
    points.scorers.onDidChange(() => this.#onPlugins())
    points.segmenters.onDidChange(() => this.#onPlugins())
    points.conditions.onDidChange(() => this.#onPlugins())
    jobs.define('scores', async ({ signal, progress }) => {
      const runs = await this.runAll({
        signal,
        onProgress: (done, total) => progress({ done, total, unit: 'scorers' }),
      })
      return {
        scorers: runs.length,
        customers: Math.max(0, ...runs.map(({ customers }) => customers)),
        changed: runs.reduce((sum, { changed }) => sum + changed, 0),
      }
    })
  }

  /** Scores are out of date whatever the log says, on every node: a plugin or its settings changed. */
  invalidate(): void {
    this.#scorings = undefined
    const { database, log } = this.#context
    const note = async () => {
      const row = { name: REVISION, position: 1, details: null }
      await database.db
        .insertInto('cursors')
        .values(row)
        .onConflict((conflict) =>
          conflict.column('name').doUpdateSet({ position: sql`cursors.position + 1` }),
        )
        .execute()
    }
    this.#noting = this.#noting
      .then(note)
      .catch((error: unknown) => log.warn({ error: String(error) }, 'Scores could not be invalidated'))
  }

  /** Those that are there when the process starts were there before it. */
  #onPlugins(): void {
    if (this.#scorings) this.invalidate()
  }

  /** Puts a job in line when scores are out of date. Never runs plugin code itself. */
  async advance(): Promise<boolean> {
    const { clock, jobs } = this.#context
    const all = await this.#known()
    if (all.length === 0) return false
    const { basis, revision } = await this.#basis()
    const now = clock.now()
    // Resting spares a machine that takes in events all day; here, somebody waits for what they changed.
    if (revision !== this.#lastRevision) this.#restUntil = 0
    this.#lastRevision = revision
    if (this.#seen?.basis !== basis) this.#seen = { basis, since: now, first: this.#seen?.first ?? now }
    const calm = now - this.#seen.since >= QUIET_MS && now >= this.#restUntil
    const patient = !calm && now - this.#seen.first < LONGEST_WAIT_MS
    if (patient && !(await this.#ticked(all))) return false
    if (!patient) this.#seen = { basis, since: now, first: now }
    const fresh = await this.#freshAt(all, basis)
    if (all.some((scoring) => !fresh.has(runId(scoring)))) {
      const title = JSON.stringify({ en: 'Scores and segments', 'zh-CN': '打分与分层' })
      await jobs.enqueue({ kind: 'scores', key: 'scores', title })
    }
    return false
  }

  /** Runs everything that is out of date, each after those whose outputs it reads. A failing one stops no other. */
  async runAll({
    force = false,
    signal = new AbortController().signal,
    onProgress,
  }: RunAllOptions = {}): Promise<ScoringRun[]> {
    const all = await this.#known()
    const { basis, revision } = await this.#basis()
    const fresh = force ? new Set<string>() : await this.#freshAt(all, basis)
    const due = all.filter((scoring) => !fresh.has(runId(scoring)))
    if (due.length === 0) return []
    const results = await runScorings(this.#context, due, {
      signal,
      modelFor: (scoring, batch, fitting) => this.#models.modelFor(scoring, batch, { ...fitting, revision }),
      onProgress: (done) => onProgress?.(done, due.length),
    })
    const runs: ScoringRun[] = []
    for (const [index, result] of results.entries()) {
      const error =
        result.error === null
          ? null
          : result.error instanceof Error
            ? result.error.message
            : String(result.error)
      if (error !== null) this.#context.log.warn({ scoring: result.id, error }, 'A scorer failed')
      this.#restUntil = Math.max(this.#restUntil, this.#context.clock.now() + result.tookMs * REST_FACTOR)
      // Cut short, it is not up to date: the job runs again.
      if (!signal.aborted) await this.#remember(due[index] as Scoring, basis, { ...result, error })
      runs.push({ id: result.id, customers: result.customers, changed: result.changed, error })
    }
    return runs
  }

  async #remember(
    scoring: Scoring,
    basis: string,
    { tookMs, ...run }: { tookMs: number; customers: number; changed: number; error: string | null },
  ): Promise<void> {
    const { database, clock } = this.#context
    const row = {
      id: runId(scoring),
      basis,
      ran_at: clock.now(),
      took_ms: tookMs,
      customers: run.customers,
      changed: run.changed,
      error: run.error,
    }
    await database.db
      .insertInto('score_runs')
      .values(row)
      .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
      .execute()
  }

  /**
   * State of the world that scores follow from: log position, business day, and how often it was said that something
   * else changed, such as the settings of a plugin.
   */
  async #basis(): Promise<{ basis: string; revision: number }> {
    const { database, clock, brand } = this.#context
    await this.#noting
    const { timeZone } = await brand()
    const cursors = await database.db
      .selectFrom('cursors')
      .select(['name', 'position'])
      .where('name', 'in', [PROFILES_CURSOR, REVISION])
      .execute()
    const positionOf = (wanted: string) => cursors.find(({ name }) => name === wanted)?.position ?? 0
    const revision = positionOf(REVISION)
    const day = new BusinessDays(timeZone).dayOf(clock.now())
    return { basis: `${positionOf(PROFILES_CURSOR)}/${day}/${revision}`, revision }
  }

  async #known(): Promise<Scoring[]> {
    if (this.#scorings) return this.#scorings
    const found = readScorings(this.#context.points)
    await transact(this.#context.database.db, async (tx) => {
      const names = new Set(found.flatMap(({ outputs }) => outputs.map(({ name }) => name)))
      const present = await readColumns(tx)
      const gone = present.filter(
        ({ kind, name }) => (kind === 'score' || kind === 'label') && !names.has(name),
      )
      await addColumns(
        tx,
        found.flatMap(({ outputs }) => outputs),
      )
      await retireColumns(
        tx,
        gone.map(({ name }) => name),
      )
    })
    return (this.#scorings = found)
  }

  /** Runs that hold still: on the same state of the world, and after the last tick of their schedule. */
  async #freshAt(all: readonly Scoring[], basis: string): Promise<Set<string>> {
    const rows = await this.#context.database.db
      .selectFrom('score_runs')
      .select(['id', 'ran_at'])
      .where('basis', '=', basis)
      .execute()
    const ranAt = new Map(rows.map(({ id, ran_at }) => [id, ran_at]))
    const ticks = await this.#ticks(all)
    return new Set([...ranAt].filter(([id, at]) => at >= (ticks.get(id) ?? 0)).map(([id]) => id))
  }

  /** Whether a schedule said "now" since its scorer ran, which waits for no calm. */
  async #ticked(all: readonly Scoring[]): Promise<boolean> {
    const ticks = await this.#ticks(all)
    if (ticks.size === 0) return false
    const rows = await this.#context.database.db
      .selectFrom('score_runs')
      .select(['id', 'ran_at'])
      .where('id', 'in', [...ticks.keys()])
      .execute()
    return rows.some(({ id, ran_at }) => ran_at < (ticks.get(id) as number))
  }

  /** Last ticks of the schedules, by run. */
  async #ticks(all: readonly Scoring[]): Promise<Map<string, number>> {
    const scheduled = all.filter(({ schedule }) => schedule !== undefined)
    if (scheduled.length === 0) return new Map()
    const { timeZone } = await this.#context.brand()
    const now = this.#context.clock.now()
    return new Map(
      scheduled.map((scoring) => [runId(scoring), lastTick(scoring.schedule as string, { now, timeZone })]),
    )
  }
}
