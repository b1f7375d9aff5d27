import { type AppError, type Mapping, notFound, userError } from '@huitou/plugin-api'
import type { Db, Tx } from '../db/database.ts'
import type { DryRun } from './dry-run.ts'
import type { TableFacts } from './inspect.ts'
import type { ImportState, ImportTables } from './tables.ts'

/** How far an import has come; written in the transaction that writes the events it counts. */
export interface ImportPosition {
  /** Batches of events that are in the log. */
  batches: number
  rows: number
  groups: number
  /** Events that were new. */
  accepted: number
  /** Events that the log had already. */
  duplicates: number
}

export const POSITION_START: ImportPosition = {
  batches: 0,
  rows: 0,
  groups: 0,
  accepted: 0,
  duplicates: 0,
}

/** An import as stored, its JSON read. */
export interface ImportRecord {
  id: string
  name: string
  source: string
  state: ImportState
  size: number
  facts: TableFacts
  mapping: Mapping | null
  dryRun: DryRun | null
  /** As stored, because it is what a writer compares with. */
  position: string | null
  jobId: string | null
  result: Record<string, unknown> | null
  error: StoredError | null
  createdAt: number
  updatedAt: number
}

export interface StoredError {
  code: string
  message: string
  hint?: string
  details?: Record<string, unknown>
}

export async function getImportRecord(db: Db | Tx, id: string): Promise<ImportRecord> {
  const row = await db.selectFrom('imports').selectAll().where('id', '=', id).executeTakeFirst()
  if (!row) throw notFound('Import', id)
  return toRecord(row)
}

/** Newest first. */
export async function listImportRecords(db: Db | Tx, limit: number): Promise<ImportRecord[]> {
  const rows = await db
    .selectFrom('imports')
    .selectAll()
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
  return rows.map(toRecord)
}

export async function insertImportRecord(
  db: Db | Tx,
  record: Pick<ImportRecord, 'id' | 'name' | 'source' | 'size' | 'facts' | 'mapping'>,
  now: number,
): Promise<void> {
  await db
    .insertInto('imports')
    .values({
      id: record.id,
      name: record.name,
      source: record.source,
      state: 'uploaded',
      size: record.size,
      facts: JSON.stringify(record.facts),
      mapping: record.mapping && JSON.stringify(record.mapping),
      dry_run: null,
      position: null,
      job_id: null,
      result: null,
      error: null,
      created_at: now,
      updated_at: now,
    })
    .execute()
}

export interface ImportChange {
  state?: ImportState
  mapping?: Mapping
  dryRun?: DryRun | null
  position?: ImportPosition
  jobId?: string | null
  result?: Record<string, unknown>
  error?: StoredError | null
}

/** Changes an import that is in one of the states `from`. False when it is in another by now. */
export async function changeImport(
  db: Db | Tx,
  { id, from, now }: { id: string; from: readonly ImportState[]; now: number },
  { state, mapping, dryRun, position, jobId, result, error }: ImportChange,
): Promise<boolean> {
  const set: Partial<ImportTables['imports']> = { updated_at: now }
  if (state !== undefined) set.state = state
  if (mapping !== undefined) set.mapping = JSON.stringify(mapping)
  if (dryRun !== undefined) set.dry_run = dryRun && JSON.stringify(dryRun)
  if (position !== undefined) set.position = JSON.stringify(position)
  if (jobId !== undefined) set.job_id = jobId
  if (result !== undefined) set.result = JSON.stringify(result)
  if (error !== undefined) set.error = error && JSON.stringify(error)
  const { numUpdatedRows } = await db
    .updateTable('imports')
    .set(set)
    .where('id', '=', id)
    .where('state', 'in', from)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/**
 * Moves the position from `before` to `after`. False when somebody else has moved it, or the import is no longer
 * being imported; the caller's transaction must then be undone.
 */
export async function advanceImport(
  tx: Tx,
  { id, before, now }: { id: string; before: string | null; now: number },
  after: ImportPosition,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('imports')
    .set({ position: JSON.stringify(after), updated_at: now })
    .where('id', '=', id)
    .where('state', '=', 'importing')
    .where('position', before === null ? 'is' : '=', before)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Refuses what the import's state does not allow. */
export function checkState(record: ImportRecord, allowed: readonly ImportState[], action: string): void {
  if (allowed.includes(record.state)) return
  throw wrongState(record, action)
}

export function wrongState({ name, state }: Pick<ImportRecord, 'name' | 'state'>, action: string): AppError {
  return userError('E_IMPORT_STATE', `The import of "${name}" is ${state} and cannot be ${action}`, {
    status: 409,
    details: { name, state },
  })
}

function toRecord(row: ImportTables['imports']): ImportRecord {
  const json = <T>(text: string | null) => (text === null ? null : (JSON.parse(text) as T))
  return {
    id: row.id,
    name: row.name,
    source: row.source,
    state: row.state,
    size: row.size,
    facts: JSON.parse(row.facts) as TableFacts,
    mapping: json<Mapping>(row.mapping),
    dryRun: json<DryRun>(row.dry_run),
    position: row.position,
    jobId: row.job_id,
    result: json<Record<string, unknown>>(row.result),
    error: json<StoredError>(row.error),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}
