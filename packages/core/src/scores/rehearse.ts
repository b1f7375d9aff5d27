import { type ColumnVector, toNumberVector, toTextVector, valueAt } from '@huitou/plugin-api'
import type { CoreContext } from '../context.ts'
import type { Points, Text } from '../points/points.ts'
import type { ProfileColumn } from '../profiles/columns.ts'
import { columnName } from '../profiles/definitions.ts'
import { readBrand } from '../settings/brand.ts'
import { copyOf, readTable } from './run.ts'
import { readScorings, type Scoring } from './scorings.ts'

export interface RehearsalOptions {
  /** Of these plugins only; what they read of others is taken as it is stored. */
  owner: string
  signal: AbortSignal
  /** Customers; all when absent. */
  limit?: number
  onProgress?: ((done: number, total: number) => void) | undefined
}

export interface Rehearsal {
  ids: Float64Array
  /** What came out, by column. */
  outputs: Map<string, { column: ProfileColumn; vector: ColumnVector }>
  /** What failed. */
  problems: { id: string; error: unknown }[]
}

/**
 * Runs a plugin's scorers and segmenters on what is stored now, each on what those before it came to, and writes
 * nothing. Columns that only the version under rehearsal would provide are empty.
 */
export async function rehearseScores(
  context: Pick<CoreContext, 'database' | 'clock'>,
  points: Points,
  { owner, signal, limit, onProgress }: RehearsalOptions,
): Promise<Rehearsal> {
  const { timeZone } = await readBrand(context.database.db)
  const scorings = readScorings(points).filter((scoring) => scoring.owner === owner)
  const table = await readTable(context, scorings, limit)
  const coming = comingColumns(points)
  const rehearsal: Rehearsal = { ids: table.ids, outputs: new Map(), problems: [] }
  const read = (scoring: Scoring, name: string): ColumnVector => {
    const made = rehearsal.outputs.get(name)
    if (made) return copyOf(made.vector)
    const type = coming.get(name)
    if (type === undefined || table.has(name)) return copyOf(table.column(scoring, name))
    const nothing = Array.from(table.ids, () => null)
    return type === 'text' || type === 'label' ? toTextVector(nothing) : toNumberVector(nothing)
  }
  for (const [done, scoring] of scorings.entries()) {
    if (signal.aborted) break
    onProgress?.(done, scorings.length)
    try {
      const batch = () => ({
        ids: table.ids.slice(),
        columns: Object.fromEntries(scoring.inputs.map((name) => [name, read(scoring, name)])),
      })
      const during = { now: context.clock.now(), signal, timeZone }
      // What it learns here is for this rehearsal only.
      const model = scoring.fit ? { model: await scoring.fit(batch(), during) } : {}
      const vectors = await scoring.run({ ...batch(), ...model }, during)
      scoring.outputs.forEach((column, index) =>
        rehearsal.outputs.set(column.name, { column, vector: vectors[index] as ColumnVector }),
      )
    } catch (error) {
      rehearsal.problems.push({ id: scoring.id, error })
    }
  }
  return rehearsal
}

/** How one column differs between two rehearsals. */
export interface Difference {
  column: string
  title: Text
  rows: number
  changed: number
  share: number
  meanBefore: number | null
  meanAfter: number | null
  transitions: { from: string | null; to: string | null; count: number }[]
  examples: { customerId: number; before: string | number | null; after: string | number | null }[]
}

const KEPT_TRANSITIONS = 50
const KEPT_EXAMPLES = 10

/** Compares two rehearsals on the same customers, column by column. */
export function compareRehearsals(before: Rehearsal, after: Rehearsal): Difference[] {
  const names = new Set([...before.outputs.keys(), ...after.outputs.keys()])
  const rowBefore = new Map(Array.from(before.ids, (id, row) => [id, row]))
  return [...names].sort().map((name) => {
    const old = before.outputs.get(name)
    const young = after.outputs.get(name)
    return compareColumn((young ?? old)!.column, {
      ids: after.ids,
      before: (row) => old && valueAt(old.vector, rowBefore.get(after.ids[row] as number) ?? -1),
      after: (row) => young && valueAt(young.vector, row),
    })
  })
}

type Value = string | number | undefined

function compareColumn(
  { name, title, type }: ProfileColumn,
  { ids, before, after }: { ids: Float64Array; before(row: number): Value; after(row: number): Value },
): Difference {
  const means = [new Mean(), new Mean()] as const
  const transitions = new Map<string, { from: string | null; to: string | null; count: number }>()
  const examples: Difference['examples'] = []
  let changed = 0
  for (let row = 0; row < ids.length; row++) {
    const [old, young] = [before(row), after(row)]
    means[0].add(old)
    means[1].add(young)
    if (old === young) continue
    changed++
    if (examples.length < KEPT_EXAMPLES)
      examples.push({ customerId: ids[row] as number, before: old ?? null, after: young ?? null })
    if (type === 'label') count(transitions, toLabel(old), toLabel(young))
  }
  return {
    column: name,
    title,
    rows: ids.length,
    changed,
    share: ids.length === 0 ? 0 : changed / ids.length,
    meanBefore: means[0].value(),
    meanAfter: means[1].value(),
    transitions: [...transitions.values()].sort((a, b) => b.count - a.count).slice(0, KEPT_TRANSITIONS),
    examples,
  }
}

function count(
  transitions: Map<string, { from: string | null; to: string | null; count: number }>,
  from: string | null,
  to: string | null,
): void {
  const key = JSON.stringify([from, to])
  const known = transitions.get(key)
  if (known) known.count++
  else transitions.set(key, { from, to, count: 1 })
}

class Mean {
  #sum = 0
  #count = 0

  add(value: Value): void {
    if (typeof value !== 'number') return
    this.#sum += value
    this.#count++
  }

  value(): number | null {
    return this.#count === 0 ? null : this.#sum / this.#count
  }
}

function toLabel(value: Value): string | null {
  return value === undefined ? null : String(value)
}

/** Types of the columns that the points declare, whether they are stored yet or not. */
function comingColumns(points: Points): Map<string, string> {
  return new Map(
    points.features.list().map(({ owner, value }) => [columnName(owner.prefix, value.id), value.type]),
  )
}
