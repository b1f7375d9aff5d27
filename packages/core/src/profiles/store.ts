import type { Tx } from '../db/database.ts'
import { insertRows } from '../db/insert-rows.ts'
import { idRows } from '../db/rows.ts'
import {
  addColumns,
  isFolded,
  type ProfileColumn,
  readColumns,
  standardColumns,
  TRAIT_COLUMN_LIMIT,
  traitColumn,
  type WrittenColumn,
  writeProfiles,
} from './columns.ts'
import type { Definitions } from './definitions.ts'
import { featureValues, nextExpiry, type ProfileState } from './state.ts'

/** A customer's accumulators, and what its change should be announced as. */
export interface Draft {
  state: ProfileState
  /** `event:<name>` for event types newly folded in; `*` when anything may have changed. */
  topics: Set<string>
}

export async function readStates(tx: Tx, customers: Iterable<number>): Promise<Map<number, ProfileState>> {
  const ids = [...customers]
  if (ids.length === 0) return new Map()
  const rows = await tx
    .selectFrom(idRows(tx, ids))
    .innerJoin('profile_states', 'profile_states.customer_id', 'r.id')
    .select(['customer_id', 'state'])
    .execute()
  return new Map(rows.map(({ customer_id, state }) => [customer_id, JSON.parse(state) as ProfileState]))
}

/** Writes drafts to the wide row, stores their accumulators, and announces the columns that changed. */
export async function saveDrafts(
  tx: Tx,
  drafts: ReadonlyMap<number, Draft>,
  { definitions, today }: { definitions: Definitions; today: number },
): Promise<void> {
  if (drafts.size === 0) return
  const columns = await columnsFor(tx, drafts)
  const before = await readRows(tx, [...drafts.keys()])
  const rows: Record<string, unknown>[] = []
  const states: { customer_id: number; state: string; expires_day: number | null }[] = []
  const changes: { customer_id: number; columns: string }[] = []
  for (const [customer_id, { state, topics }] of drafts) {
    const row = toRow(customer_id, state, { columns, definitions, today })
    const old = before.get(customer_id)
    const changed = Object.keys(row).filter((name) => (old?.[name] ?? null) !== (row[name] ?? null))
    if (!old || changed.length > 0) rows.push(row)
    states.push({
      customer_id,
      state: JSON.stringify(state),
      expires_day: nextExpiry(state, definitions.features, today),
    })
    const announced = !old || topics.has('*') ? ['*'] : [...changed, ...topics]
    if (announced.length > 0) changes.push({ customer_id, columns: JSON.stringify(announced) })
  }
  const written: WrittenColumn[] = [
    ...columns.filter(isFolded),
    ...definitions.features.map(({ column, type }) => ({ name: column, type })),
  ]
  await writeProfiles(tx, written, rows)
  await writeStates(tx, states)
  await announce(tx, changes)
}

/** Takes customers out that have become part of others. */
export async function removeProfiles(tx: Tx, customers: readonly number[]): Promise<void> {
  if (customers.length === 0) return
  const ids = idRows(tx, customers)
  await tx
    .deleteFrom('profiles')
    .where('customer_id', 'in', (where) => where.selectFrom(ids).select('r.id'))
    .execute()
  await tx
    .deleteFrom('profile_states')
    .where('customer_id', 'in', (where) => where.selectFrom(ids).select('r.id'))
    .execute()
  await announce(
    tx,
    customers.map((customer_id) => ({ customer_id, columns: '["*"]' })),
  )
}

/** Appends to the log of profile changes that segments follow. */
export async function announce(
  tx: Tx,
  changes: readonly { customer_id: number; columns: string }[],
): Promise<void> {
  await insertRows(tx, 'profile_changes', {
    rows: changes,
    columns: { customer_id: 'integer', columns: 'text' },
  })
}

/** Stands for every customer in the log of changes. */
export const EVERYBODY = 0

/** Announces that columns changed for so many customers that everybody had better be looked at. */
export async function announceForAll(tx: Tx, columns: readonly string[]): Promise<void> {
  await announce(tx, [{ customer_id: EVERYBODY, columns: JSON.stringify(columns) }])
}

function toRow(
  customer_id: number,
  state: ProfileState,
  { columns, definitions, today }: { columns: ProfileColumn[]; definitions: Definitions; today: number },
) {
  const row: Record<string, unknown> = {
    customer_id,
    key: state.key?.[2] ?? String(customer_id),
    first_seen_at: state.first,
    // Of whom only Huitou itself has spoken, this is all that is known.
    last_seen_at: state.last || state.first,
    event_count: state.events,
    ...featureValues(state, definitions.features, today),
  }
  for (const { kind, name, logical } of columns) {
    if (kind === 'trait')
      row[name] = Object.hasOwn(state.traits, logical) ? (state.traits[logical]?.[0] ?? null) : null
  }
  return row
}

/** The registry, after making columns for traits not met before. */
async function columnsFor(tx: Tx, drafts: ReadonlyMap<number, Draft>): Promise<ProfileColumn[]> {
  const columns = await readColumns(tx)
  const known = new Set(columns.filter(({ kind }) => kind === 'trait').map(({ logical }) => logical))
  const met = new Set<string>()
  for (const { state } of drafts.values())
    for (const key of Object.keys(state.traits)) if (!known.has(key)) met.add(key)
  const room = Math.max(0, TRAIT_COLUMN_LIMIT - known.size)
  const added = [...met]
    .toSorted()
    .slice(0, room)
    .map((key) => traitColumn(key))
  await addColumns(tx, added)
  return [...columns, ...added]
}

async function readRows(tx: Tx, customers: number[]): Promise<Map<number, Record<string, unknown>>> {
  const rows = await tx
    .selectFrom(idRows(tx, customers))
    .innerJoin('profiles', 'profiles.customer_id', 'r.id')
    .selectAll('profiles')
    .execute()
  return new Map(rows.map((row) => [row.customer_id, row as unknown as Record<string, unknown>]))
}

async function writeStates(
  tx: Tx,
  states: { customer_id: number; state: string; expires_day: number | null }[],
): Promise<void> {
  await insertRows(tx, 'profile_states', {
    rows: states,
    columns: { customer_id: 'integer', state: 'json', expires_day: 'integer' },
    conflict: { columns: ['customer_id'], then: 'replace' },
  })
}

/** Registers the columns every database has. */
export async function addStandardColumns(tx: Tx): Promise<void> {
  await addColumns(tx, standardColumns())
}
