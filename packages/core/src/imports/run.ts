import { existsSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { userError } from '@huitou/plugin-api'
import { transact } from '../db/database.ts'
import { insertEvents } from '../events/append.ts'
import { CHUNK_ROWS } from './check.ts'
import { convertGroups, type Converter } from './convert.ts'
import { getSource, type ImportContext, type ImportRun, readLimits } from './import-context.ts'
import { importFiles } from './import-folder.ts'
import {
  advanceImport,
  type ImportPosition,
  type ImportRecord,
  POSITION_START,
  wrongState,
} from './records.ts'
import { Stage } from './staging.ts'

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
 * Appends the staged rows to the log, chunk by chunk. Each chunk's events and the position after it are written in
 * one transaction: whenever the process dies, the next run goes on at the first row that is not in the log.
 */
export async function runRows(
  context: ImportContext,
  record: ImportRecord,
  run: ImportRun,
): Promise<ImportResult> {
  const { stage: file } = importFiles(context.dataDir, record.id)
  if (!record.mapping || !record.dryRun) throw wrongState(record, 'imported before it has been checked')
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
  const limits = await readLimits(context)
  const source = getSource(context.points, record.source)
  const converter: Omit<Converter, 'receivedAt'> = {
    convert: source.value.run.convert,
    mapping: record.mapping,
    headers: record.facts.headers,
  }
  const stage = Stage.open(file)
  try {
    const total = record.dryRun.rows
    let stored = record.position
    let position = stored === null ? POSITION_START : (JSON.parse(stored) as ImportPosition)
    for (;;) {
      run.progress({ done: position.rows, total, unit: 'rows' })
      run.signal.throwIfAborted()
      const chunk = stage.readGroups(position, CHUNK_ROWS, limits.groupRows)
      if (chunk.rows === 0) {
        run.progress({ done: total, total, unit: 'rows' })
        return toResult(position, record)
      }
      const receivedAt = context.clock.now()
      const { events } = await convertGroups(chunk.groups, { ...converter, receivedAt })
      const before = position
      position = await transact(context.database.db, async (tx) => {
        const added = events.length > 0 ? await insertEvents(tx, events, receivedAt) : new Set<string>()
        const after: ImportPosition = {
          ...chunk.next,
          rows: before.rows + chunk.rows,
          groups: before.groups + chunk.groups.length,
          accepted: before.accepted + added.size,
          duplicates: before.duplicates + events.length - added.size,
        }
        if (await advanceImport(tx, { id: record.id, before: stored, now: receivedAt }, after)) return after
        throw wrongState(record, 'continued: it was stopped, or runs elsewhere')
      })
      stored = JSON.stringify(position)
      if (position.accepted > before.accepted) context.onAppended?.()
      // Lets requests in between; neither SQLite nor a source in this process gives way by itself.
      await setImmediate()
    }
  } finally {
    stage.close()
  }
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
