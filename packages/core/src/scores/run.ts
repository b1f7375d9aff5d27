import { type ColumnVector, userError, valueAt } from '@huitou/plugin-api'
import { sql } from 'kysely'
import type { CoreContext } from '../context.ts'
import { transact } from '../db/database.ts'
import { readColumns, writeProfiles } from '../profiles/columns.ts'
import { announce } from '../profiles/store.ts'
import type { Scoring } from './scorings.ts'

/** Rows per transaction when writing back: ingestion gets its turn in between. */
const WRITE_STEP = 5_000

export interface ScoringResult {
  customers: number
  changed: number
}

/** Runs one scorer or segmenter over all customers and writes what came out differently. */
export async function runScoring(context: CoreContext, scoring: Scoring, signal: AbortSignal): Promise<ScoringResult> {
  const { database, clock } = context
  const columns = new Map((await readColumns(database.db)).map((column) => [column.name, column]))
  for (const input of scoring.inputs) {
    if (!columns.has(input)) {
      throw userError('E_SCORER_INPUT', `"${scoring.id}" reads the column "${input}", which no enabled plugin provides`, {
        hint: 'Enable the plugin that provides it, or disable this one.',
      })
    }
  }
  const inputs = scoring.inputs.map((name) => ({ name, kind: isText(columns.get(name)?.type) ? ('text' as const) : ('number' as const) }))
  const outputs = scoring.outputs.map(({ name, type }) => ({ name, kind: isText(type) ? ('text' as const) : ('number' as const) }))
  const all = [{ name: 'customer_id', kind: 'number' as const }, ...inputs, ...outputs]
  const query = database.analytics.selectFrom('profiles').select(all.map(({ name }) => sql.ref(name).as(name))).orderBy('customer_id')
  const { vectors, count } = await database.readColumns(query, all.map(({ kind }) => kind))
  if (count === 0) return { customers: 0, changed: 0 }
  const ids = (vectors[0] as Extract<ColumnVector, { kind: 'number' }>).values
  const before = vectors.slice(1 + inputs.length)
  const batch = {
    // The plugin's side takes the arrays over: it gets its own copy of what is needed again here.
    ids: ids.slice(),
    columns: Object.fromEntries(inputs.map(({ name }, index) => [name, vectors[1 + index] as ColumnVector])),
  }
  const after = await scoring.run(batch, { now: clock.now(), signal })
  const rows = changedRows({ ids, before, after, names: outputs.map(({ name }) => name) })
  for (let from = 0; from < rows.length && !signal.aborted; from += WRITE_STEP) {
    await writeBack(context, scoring, rows.slice(from, from + WRITE_STEP))
  }
  return { customers: count, changed: rows.length }
}

interface ChangedRow {
  values: Record<string, number | string | null>
  columns: string[]
}

function changedRows({ ids, before, after, names }: { ids: Float64Array; before: ColumnVector[]; after: ColumnVector[]; names: string[] }): ChangedRow[] {
  const changed: ChangedRow[] = []
  for (let row = 0; row < ids.length; row++) {
    let columns: string[] | undefined
    for (let output = 0; output < names.length; output++) {
      if (valueAt(before[output] as ColumnVector, row) !== valueAt(after[output] as ColumnVector, row)) (columns ??= []).push(names[output] as string)
    }
    if (!columns) continue
    const values: ChangedRow['values'] = { customer_id: ids[row] as number }
    for (let output = 0; output < names.length; output++) values[names[output] as string] = valueAt(after[output] as ColumnVector, row) ?? null
    changed.push({ values, columns })
  }
  return changed
}

async function writeBack({ database }: CoreContext, scoring: Scoring, rows: ChangedRow[]): Promise<void> {
  await transact(database.db, async (tx) => {
    // A customer that was merged away meanwhile must not come back as an empty row.
    const ids = rows.map(({ values }) => values['customer_id'] as number)
    const present = new Set(
      (
        await tx
          .selectFrom('profiles')
          .select('customer_id')
          .where('customer_id', '>=', ids[0] as number)
          .where('customer_id', '<=', ids.at(-1) as number)
          .execute()
      ).map(({ customer_id }) => customer_id),
    )
    const kept = rows.filter(({ values }) => present.has(values['customer_id'] as number))
    await writeProfiles(tx, scoring.outputs, kept.map(({ values }) => values), { update: true })
    await announce(tx, kept.map(({ values, columns }) => ({ customer_id: values['customer_id'] as number, columns: JSON.stringify(columns) })))
  })
}

function isText(type: string | undefined): boolean {
  return type === 'text' || type === 'label'
}
