import { type ColumnBatch, type ColumnVector, type JsonValue, userError, valueAt } from '@huitou/plugin-api'
import { sql } from 'kysely'
import type { CoreContext } from '../context.ts'
import { transact } from '../db/database.ts'
import { mayBeProfiled } from '../people/opted-out.ts'
import { type Reader, refusedColumn } from '../points/grants.ts'
import { type ProfileColumn, readColumns, writeProfiles } from '../profiles/columns.ts'
import { announce, announceForAll } from '../profiles/store.ts'
import { hideKeys } from '../profiles/visible-key.ts'
import { clearOptedOut } from './opted-out.ts'
import type { Scoring, ScoringContext } from './scorings.ts'

/** Rows per transaction when writing back: ingestion gets its turn in between. */
const WRITE_STEP = 5_000
/** From here on, changes are announced for everybody at once instead of customer by customer. */
const ANNOUNCE_ALL = 100_000

export interface ScoringResult {
  id: string
  customers: number
  changed: number
  tookMs: number
  error: unknown
}

export interface ScoringOptions {
  signal: AbortSignal
  /** The model that a scorer with something to learn is handed; `batch` is made when it learns. */
  modelFor: (
    scoring: Scoring,
    batch: () => ColumnBatch,
    context: ScoringContext,
  ) => Promise<JsonValue | undefined>
  /** Called before each scoring. */
  onProgress?: ((done: number) => void) | undefined
}

/**
 * Runs scorers and segmenters over all customers, each on what those before it came to, and writes what came out
 * differently, every row once. One that fails leaves its columns as they were and stops no other.
 */
export async function runScorings(
  context: CoreContext,
  scorings: readonly Scoring[],
  { signal, modelFor, onProgress }: ScoringOptions,
): Promise<ScoringResult[]> {
  const { clock } = context
  const { timeZone } = await context.brand()
  await clearOptedOut(context.database.db)
  const table = await readTable(context, scorings)
  const results: ScoringResult[] = []
  const changes: OutputChange[] = []
  for (const scoring of scorings) {
    if (signal.aborted) break
    onProgress?.(results.length)
    const started = performance.now()
    const result: ScoringResult = {
      id: scoring.id,
      customers: table.ids.length,
      changed: 0,
      tookMs: 0,
      error: null,
    }
    results.push(result)
    try {
      const fitting = { now: clock.now(), signal, timeZone }
      const batch = (): ColumnBatch => ({
        ids: table.ids.slice(),
        columns: Object.fromEntries(
          scoring.inputs.map((name) => [name, copyOf(table.column(scoring, name))] as const),
        ),
      })
      let after: ColumnVector[] = []
      if (table.ids.length > 0) {
        const model = await modelFor(scoring, batch, fitting)
        after = await scoring.run({ ...batch(), ...(model === undefined ? {} : { model }) }, fitting)
      }
      after.forEach((vector, index) => {
        const column = scoring.outputs[index] as ProfileColumn
        const before = table.replace(column.name, vector)
        changes.push({ column, before, after: vector, result })
      })
    } catch (error) {
      result.error = error
    }
    result.tookMs = Math.round(performance.now() - started)
  }
  const started = performance.now()
  await writeChanges(context, { ids: table.ids, changes, signal })
  const last = results.at(-1)
  if (last) last.tookMs += Math.round(performance.now() - started)
  return results
}

/** All columns that some scoring reads or writes, by customer id; of the first `limit` customers when given. */
export async function readTable(
  { database }: Pick<CoreContext, 'database'>,
  scorings: readonly Scoring[],
  limit?: number,
) {
  const known = new Map((await readColumns(database.db)).map((column) => [column.name, column]))
  const wanted = new Set(
    scorings.flatMap(({ inputs, outputs }) => [...inputs, ...outputs.map(({ name }) => name)]),
  )
  const present = [...wanted].flatMap((name) => known.get(name) ?? [])
  const query = database.analytics
    .selectFrom('profiles')
    .select(['customer_id', ...present.map(({ name }) => sql.ref(name).as(name))])
    // About who wants no conclusions drawn no plugin hears, neither to judge nor to learn.
    .where(mayBeProfiled())
    .orderBy('customer_id')
    .$if(limit !== undefined, (some) => some.limit(limit!))
  const { vectors } = await database.readColumns(query, [
    'number',
    ...present.map(({ type }) => (isText(type) ? 'text' : 'number') as 'text' | 'number'),
  ])
  const [first, ...rest] = vectors as [ColumnVector, ...ColumnVector[]]
  const columns = new Map(present.map(({ name }, index) => [name, rest[index] as ColumnVector]))
  const ids = first.kind === 'number' ? first.values : new Float64Array(0)
  return {
    ids,
    has: (name: string) => columns.has(name),
    column({ id: scoring, reader }: Scoring, name: string): ColumnVector {
      const column = columns.get(name)
      const definition = known.get(name)
      if (definition && reader) checkMayRead(reader(), definition)
      if (column && reader && name === 'key') return hideKeys(reader(), column, ids)
      if (column) return column
      throw userError(
        'E_SCORER_INPUT',
        `"${scoring}" reads the column "${name}", which no enabled plugin provides`,
        {
          hint: 'Enable the plugin that provides it, or disable this one.',
        },
      )
    },
    /** Puts new values in a column's place and returns the old ones. */
    replace(name: string, vector: ColumnVector): ColumnVector {
      const before = columns.get(name) as ColumnVector
      columns.set(name, vector)
      return before
    },
  }
}

/** Inputs reach a plugin without being asked for, so what was not granted is held back here. */
function checkMayRead(reader: Reader, column: ProfileColumn): void {
  const refused = refusedColumn(reader, column)
  if (!refused) return
  const { permission, name } = refused
  throw userError('E_PERMISSION', `Plugin "${reader.id}" may not read "${name}": it lacks ${permission}`, {
    status: 403,
    hint: `Grant it in Extensions → ${reader.id} → Permissions, or disable the plugin.`,
    details: { pluginId: reader.id, permission, name },
  })
}

/** The plugin's side takes arrays over; what others still need must be a copy. */
export function copyOf(vector: ColumnVector): ColumnVector {
  return vector.kind === 'number'
    ? { ...vector, values: vector.values.slice() }
    : { ...vector, indexes: vector.indexes.slice() }
}

interface OutputChange {
  column: ProfileColumn
  before: ColumnVector
  after: ColumnVector
  result: ScoringResult
}

interface Changes {
  ids: Float64Array
  changes: readonly OutputChange[]
  signal: AbortSignal
}

/** Compares and writes step by step, so that memory holds one step's rows, however many customers there are. */
async function writeChanges(context: CoreContext, { ids, changes, signal }: Changes): Promise<void> {
  if (changes.length === 0) return
  const counts = new Map<ScoringResult, number>()
  const everybody = countChanged(ids, changes) > ANNOUNCE_ALL
  let step: ChangedRow[] = []
  for (let row = 0; row < ids.length && !signal.aborted; row++) {
    const changed = changedRow(ids, changes, row)
    if (!changed) continue
    for (const result of new Set(changed.changes.map((change) => change.result)))
      counts.set(result, (counts.get(result) ?? 0) + 1)
    step.push(changed)
    if (step.length < WRITE_STEP) continue
    await writeStep(context, { rows: step, changes, everybody })
    step = []
  }
  if (step.length > 0 && !signal.aborted) await writeStep(context, { rows: step, changes, everybody })
  for (const [result, count] of counts) result.changed = count
}

interface ChangedRow {
  values: Record<string, number | string | null>
  changes: OutputChange[]
}

function changedRow(
  ids: Float64Array,
  changes: readonly OutputChange[],
  row: number,
): ChangedRow | undefined {
  const changed = changes.filter(({ before, after }) => valueAt(before, row) !== valueAt(after, row))
  if (changed.length === 0) return undefined
  const values: ChangedRow['values'] = { customer_id: ids[row] as number }
  for (const { column, after } of changes) values[column.name] = valueAt(after, row) ?? null
  return { values, changes: changed }
}

function countChanged(ids: Float64Array, changes: readonly OutputChange[]): number {
  let count = 0
  for (let row = 0; row < ids.length && count <= ANNOUNCE_ALL; row++) {
    if (changes.some(({ before, after }) => valueAt(before, row) !== valueAt(after, row))) count++
  }
  return count
}

async function writeStep(
  { database }: CoreContext,
  {
    rows,
    changes,
    everybody,
  }: { rows: readonly ChangedRow[]; changes: readonly OutputChange[]; everybody: boolean },
): Promise<void> {
  await transact(database.db, async (tx) => {
    // Only rows that are there are updated: a customer merged away meanwhile must not come back as an empty one.
    await writeProfiles(
      tx,
      changes.map(({ column }) => column),
      rows.map(({ values }) => values),
      { update: true },
    )
    const namesOf = (row: ChangedRow) => row.changes.map(({ column }) => column.name)
    if (everybody) await announceForAll(tx, [...new Set(rows.flatMap(namesOf))])
    else
      await announce(
        tx,
        rows.map((row) => ({
          customer_id: row.values['customer_id'] as number,
          columns: JSON.stringify(namesOf(row)),
        })),
      )
  })
}

function isText(type: string): boolean {
  return type === 'text' || type === 'label'
}
