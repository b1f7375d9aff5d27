import { sql } from 'kysely'
import type { Tx } from '../db/database.ts'
import { rowsOf } from '../db/rows.ts'
import { STORED_EVENT_COLUMNS, toStoredEvent } from '../events/read.ts'
import { addColumns, featureColumn, readColumns, retireColumns } from './columns.ts'
import type { Definitions } from './definitions.ts'
import type { Projection } from './project.ts'
import { refold } from './refold.ts'
import { toTimelineRow } from './timeline.ts'

export const DEFINITIONS_CURSOR = 'profiles.definitions'

/** How far the stored profiles have come towards a new set of definitions. */
interface Redefinition {
  version: string
  phase: 'rows' | 'versions' | 'customers' | 'done'
  position: number
}

/** Events or customers per transaction. */
const STEP = 2_000

/**
 * Brings stored profiles in line with changed definitions (a plugin switched on, another currency or time zone),
 * a step at a time so that ingestion goes on. Returns whether there was something to do.
 */
export async function redefine(tx: Tx, projection: Projection): Promise<boolean> {
  const state = await readState(tx)
  const { definitions } = projection
  if (state?.version !== definitions.version) {
    await syncColumns(tx, definitions)
    const empty = (await tx.selectFrom('timeline').select('seq').limit(1).executeTakeFirst()) === undefined
    await writeState(tx, { version: definitions.version, phase: empty ? 'done' : 'rows', position: 0 })
    return !empty
  }
  if (state.phase === 'done') return false
  if (state.phase === 'rows') await deriveRows(tx, state, definitions)
  else if (state.phase === 'versions') await chooseVersions(tx, state)
  else await refoldCustomers(tx, state, projection)
  return true
}

async function syncColumns(tx: Tx, definitions: Definitions): Promise<void> {
  const wanted = definitions.features.map(featureColumn)
  const names = new Set(wanted.map(({ name }) => name))
  const gone = (await readColumns(tx)).filter(({ kind, name }) => kind === 'feature' && !names.has(name))
  await addColumns(tx, wanted)
  await retireColumns(
    tx,
    gone.map(({ name }) => name),
  )
}

async function deriveRows(tx: Tx, state: Redefinition, definitions: Definitions): Promise<void> {
  const events = await tx
    .selectFrom('timeline')
    .innerJoin('events', 'events.seq', 'timeline.seq')
    .where('timeline.seq', '>', state.position)
    .orderBy('timeline.seq')
    .limit(STEP)
    .select(STORED_EVENT_COLUMNS)
    .execute()
  const rows = events.map((row) => ({ seq: row.seq, ...toTimelineRow(toStoredEvent(row), definitions) }))
  if (rows.length > 0) {
    await tx
      .updateTable('timeline')
      .from(
        rowsOf(tx, rows, {
          seq: 'integer',
          name: 'text',
          value: 'real',
          fact_key: 'text',
          version: 'integer',
        }),
      )
      .set({
        name: (set) => set.ref('r.name'),
        value: (set) => set.ref('r.value'),
        fact_key: (set) => set.ref('r.fact_key'),
        current: 1,
      })
      .whereRef('timeline.seq', '=', 'r.seq')
      .execute()
  }
  await step(tx, state, { position: events.at(-1)?.seq, next: 'versions' })
}

async function chooseVersions(tx: Tx, state: Redefinition): Promise<void> {
  const rows = await tx
    .selectFrom('timeline')
    .where('seq', '>', state.position)
    .orderBy('seq')
    .limit(STEP)
    .select(['seq'])
    .execute()
  const last = rows.at(-1)
  if (last) {
    await sql`update timeline set current = 0 where seq > ${state.position} and seq <= ${last.seq} and fact_key is not null and exists (
      select 1 from timeline as newer
      join events as newer_event on newer_event.seq = newer.seq
      join events as own_event on own_event.seq = timeline.seq
      where newer.fact_key = timeline.fact_key and newer.seq <> timeline.seq
        and (newer.version > timeline.version or (newer.version = timeline.version and newer_event.message_id > own_event.message_id))
    )`.execute(tx)
  }
  await step(tx, state, { position: last?.seq, next: 'customers' })
}

async function refoldCustomers(tx: Tx, state: Redefinition, projection: Projection): Promise<void> {
  const rows = await tx
    .selectFrom('profiles')
    .where('customer_id', '>', state.position)
    .orderBy('customer_id')
    .limit(STEP / 4)
    .select('customer_id')
    .execute()
  await refold(
    tx,
    rows.map(({ customer_id }) => customer_id),
    projection,
  )
  await step(tx, state, { position: rows.at(-1)?.customer_id, next: 'done' })
}

async function step(
  tx: Tx,
  state: Redefinition,
  { position, next }: { position: number | undefined; next: Redefinition['phase'] },
): Promise<void> {
  await writeState(
    tx,
    position === undefined ? { ...state, phase: next, position: 0 } : { ...state, position },
  )
}

async function readState(tx: Tx): Promise<Redefinition | undefined> {
  const row = await tx
    .selectFrom('cursors')
    .select('details')
    .where('name', '=', DEFINITIONS_CURSOR)
    .executeTakeFirst()
  return row?.details ? (JSON.parse(row.details) as Redefinition) : undefined
}

async function writeState(tx: Tx, state: Redefinition): Promise<void> {
  const details = JSON.stringify(state)
  await tx
    .insertInto('cursors')
    .values({ name: DEFINITIONS_CURSOR, position: state.position, details })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ position: state.position, details }))
    .execute()
}
