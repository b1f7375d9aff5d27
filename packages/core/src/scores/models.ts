import { type ColumnBatch, type JsonValue, userError } from '@huitou/plugin-api'
import type { CoreContext } from '../context.ts'
import { BusinessDays } from '../days.ts'
import { transact } from '../db/database.ts'
import { lastTick } from '../nodes/last-tick.ts'
import { runId, type Scoring } from './scorings.ts'

/** A model as JSON; it is read and handed over whole at every run. */
const MODEL_LIMIT = 1_024 * 1_024
/** Versions kept, the latest included. */
const KEPT = 5

interface FitContext {
  now: number
  signal: AbortSignal
  timeZone: string
}

/**
 * Models that scorers learned, in versions. A scorer learns anew when its schedule says so, once a business day when
 * it has none, and when its plugin or its settings changed.
 */
export class ScoreModels {
  readonly #context: Pick<CoreContext, 'database'>
  /** State of plugins and settings that each model was learned under, as far as this process saw. */
  readonly #revisions = new Map<string, number>()

  constructor(context: Pick<CoreContext, 'database'>) {
    this.#context = context
  }

  /** The model to score with: the latest, or a new one that `scoring` learns from `batch` and that is stored. */
  async modelFor(
    scoring: Scoring,
    batch: () => ColumnBatch,
    context: FitContext & { revision: number },
  ): Promise<JsonValue | undefined> {
    if (!scoring.fit) return undefined
    const id = runId(scoring)
    const known = await this.#find(id)
    const seen = this.#revisions.get(id)
    const current = seen === undefined || seen === context.revision
    if (known && current && !isDue(scoring, known.fitted_at, context))
      return JSON.parse(known.model) as JsonValue
    const learned = batch()
    const customers = learned.ids.length
    const model = await scoring.fit(learned, context)
    await this.#store(id, { model: toJson(scoring, model), customers, fitted_at: context.now })
    this.#revisions.set(id, context.revision)
    return model
  }

  async #find(id: string): Promise<{ model: string; fitted_at: number } | undefined> {
    return await this.#context.database.db
      .selectFrom('score_models')
      .select(['model', 'fitted_at'])
      .where('id', '=', id)
      .orderBy('version', 'desc')
      .limit(1)
      .executeTakeFirst()
  }

  async #store(id: string, row: { model: string; customers: number; fitted_at: number }): Promise<void> {
    await transact(this.#context.database.db, async (tx) => {
      const { last } = await tx
        .selectFrom('score_models')
        .select((max) => max.fn.max<number | null>('version').as('last'))
        .where('id', '=', id)
        .executeTakeFirstOrThrow()
      const version = (last ?? 0) + 1
      await tx
        .insertInto('score_models')
        .values({ id, version, ...row })
        .execute()
      await tx
        .deleteFrom('score_models')
        .where('id', '=', id)
        .where('version', '<=', version - KEPT)
        .execute()
    })
  }
}

function isDue({ schedule }: Scoring, fittedAt: number, { now, timeZone }: FitContext): boolean {
  if (schedule !== undefined) return lastTick(schedule, { now, timeZone }) > fittedAt
  const days = new BusinessDays(timeZone)
  return days.dayOf(now) !== days.dayOf(fittedAt)
}

function toJson({ id }: Scoring, model: unknown): string {
  const json = JSON.stringify(model) as string | undefined
  if (json !== undefined && json.length <= MODEL_LIMIT) return json
  throw userError('E_SCORER_MODEL', `Scorer "${id}" learned a model that is no JSON, or larger than 1 MB`, {
    hint: 'This is a fault of the plugin; disable it or tell its author.',
  })
}
