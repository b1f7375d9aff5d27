import { existsSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { userError } from '@huitou/plugin-api'
import { transact } from '../db/database.ts'
import { insertEvents } from '../events/append.ts'
import type { ImportContext, ImportRun } from './import-context.ts'
import { importFiles } from './import-folder.ts'
import {
  advanceImport,
  type ImportPosition,
  type ImportRecord,
  POSITION_START,
  wrongState,
} from './records.ts'
import { type EventBatch, Stage } from './staging.ts'

/** What an import did. */
export interface ImportResult extends Record<string, unknown> {
  rows: number
  groups: number
  /** Events that were new. */
  accepted: number
  /** Events that the log had already. */
  duplicates: number
  problemRows: number
}

/**
 * Appends the events that the check made, batch by batch. Each batch and the position after it are written in one
 * transaction: whenever the process dies, the next run goes on at the first row that is not in the log.
 */
export async function runRows(
  context: ImportContext,
  record: ImportRecord,
  run: ImportRun,
): Promise<ImportResult> {
  const { stage: file } = importFiles(context.dataDir, record.id)
  if (!record.dryRun) throw wrongState(record, 'imported before it has been checked')
  if (!existsSync(file)) {
    throw userError(
      'E_IMPORT_STAGE_GONE',
      `The prepared rows of "${record.name}" are no longer in the data folder`,
      {
        hint: 'Check the file again, then import it.',
        status: 409,
      },
    )
  }
  const stage = Stage.open(file)
  try {
    const total = record.dryRun.rows
    let stored = record.position
    let position = stored === null ? POSITION_START : (JSON.parse(stored) as ImportPosition)
    for (;;) {
      run.progress({ done: position.rows, total, unit: 'rows' })
      run.signal.throwIfAborted()
      const batch = stage.findBatch(position.batches)
      if (!batch) {
        run.progress({ done: total, total, unit: 'rows' })
        return toResult(position, record)
      }
      const before = position
      position = await append(context, { record, batch, stored, before })
      stored = JSON.stringify(position)
      if (position.accepted > before.accepted) context.onAppended?.()
      // Lets requests in between; SQLite does not give way by itself.
      await setImmediate()
    }
  } finally {
    stage.close()
  }
}

async function append(
  { database: { db }, clock }: ImportContext,
  {
    record,
    batch: { rows, groups, events },
    stored,
    before,
  }: { record: ImportRecord; batch: EventBatch; stored: string | null; before: ImportPosition },
): Promise<ImportPosition> {
  const now = clock.now()
  return await transact(db, async (tx) => {
    const added = events.length > 0 ? await insertEvents(tx, events, now) : new Set<string>()
    const after: ImportPosition = {
      batches: before.batches + 1,
      rows: before.rows + rows,
      groups: before.groups + groups,
      accepted: before.accepted + added.size,
      duplicates: before.duplicates + events.length - added.size,
    }
    if (await advanceImport(tx, { id: record.id, before: stored, now }, after)) return after
    throw wrongState(record, 'continued: it was stopped, or runs elsewhere')
  })
}

function toResult(
  { rows, groups, accepted, duplicates }: ImportPosition,
  { dryRun }: ImportRecord,
): ImportResult {
  return {
    rows: dryRun?.rows ?? rows,
    groups,
    accepted,
    duplicates,
    problemRows: dryRun?.problemRows ?? 0,
    events: dryRun?.events ?? {},
    values: dryRun?.values ?? {},
    customers: dryRun?.customers ?? 0,
  }
}
