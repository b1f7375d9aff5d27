import { setImmediate } from 'node:timers/promises'
import { type RowProblem, type SourceRow, userError } from '@huitou/plugin-api'
import { rowsOf } from '../db/rows.ts'
import type { NewEvent } from '../events/normalize.ts'
import type { Identifier } from '../identity/identifiers.ts'
import type { Brand } from '../settings/brand.ts'
import type { TableRows } from './csv-rows.ts'
import { convertGroups, type Converter, IMPORT_SOURCE } from './convert.ts'
import { type DryRun, DryRunTally, previewOf } from './dry-run.ts'
import { getSource, type ImportContext, type ImportRun, readLimits } from './import-context.ts'
import { getUpload, importFiles } from './import-folder.ts'
import type { ImportLimits } from './limits.ts'
import { checkRequired } from './mapping.ts'
import { writeProblems } from './problems-file.ts'
import type { ImportRecord } from './records.ts'
import { cutRow, fitRow, oversizedGroup } from './row-problems.ts'
import { Stage, STAGE_START } from './staging.ts'
import { openTable } from './table-file.ts'

/** Rows looked at together: few enough to answer requests in between, many enough for one call to a plugin. */
export const CHUNK_ROWS = 2_000
const PREVIEW = 10

/**
 * Reads every row, puts rows that belong together into one place and converts them, writing nothing to the log.
 * Leaves the staged rows for `runImport` and the rows with problems as a CSV file.
 */
export async function checkRows(
  context: ImportContext,
  record: ImportRecord,
  run: ImportRun,
): Promise<DryRun> {
  const files = importFiles(context.dataDir, record.id)
  const path = await getUpload(files)
  const limits = await readLimits(context)
  const source = getSource(context.points, record.source)
  if (!record.mapping) {
    throw userError('E_MAPPING', `Nobody has said what the columns of "${record.name}" mean`, {
      hint: 'Choose a column for each field first.',
      status: 409,
    })
  }
  checkRequired(record.mapping, source.value.fields)
  const { headers } = record.facts
  const { locale } = await context.brand()
  const converter: Converter = {
    convert: source.value.run.convert,
    mapping: record.mapping,
    headers,
    receivedAt: context.clock.now(),
  }
  const stage = Stage.create(files.stage)
  let sealed = false
  try {
    const tally = new DryRunTally(context.points.eventTypes.list().map(({ value }) => value))
    const total = await stageRows({ context, record, stage, path, limits, run, tally, locale })
    await convertAll({ context, converter, stage, limits, run, tally, locale, total })
    await writeProblems(files.problems, headers, stage.problems())
    const dryRun = tally.finish({ ...stage.countPeople(), preview: await preview(stage, converter) })
    sealed = true
    await stage.seal()
    return dryRun
  } finally {
    if (!sealed) stage.close()
  }
}

interface Staging {
  context: ImportContext
  record: ImportRecord
  stage: Stage
  path: string
  limits: ImportLimits
  run: ImportRun
  tally: DryRunTally
  /** Language of the problems' messages. */
  locale: Brand['locale']
}

async function stageRows({
  context,
  record,
  stage,
  path,
  limits,
  run,
  tally,
  locale,
}: Staging): Promise<number> {
  const { headers, headerRow, format } = record.facts
  const { groupKeys } = getSource(context.points, record.source).value.run
  let read = 0
  let staged = 0
  const table = await openTable(path, format, { limits, onRead: (bytes) => (read = bytes) })
  try {
    for await (const { rows, refused } of fittingRows(table.rows, { headers, headerRow, limits, locale })) {
      run.signal.throwIfAborted()
      const keys = rows.length > 0 ? await groupKeys(rows, record.mapping!, headers) : []
      stage.addRows(rows, keys)
      stage.addRefused(refused.map(({ row }) => row))
      const problems = refused.map(({ problem }) => problem)
      stage.addProblems(problems)
      tally.addProblems(problems)
      tally.rows += rows.length + refused.length
      staged += rows.length
      const estimate = read > 0 ? Math.max(staged, Math.round((staged / read) * record.size)) : null
      run.progress({ done: Math.round(staged / 2), total: estimate, unit: 'rows' })
    }
  } finally {
    table.close()
  }
  await stage.index(staged)
  return staged
}

interface Refused {
  row: SourceRow
  problem: RowProblem
}

/** Rows below the headings, as wide as these, a few thousand at a time, and those that cannot be. */
async function* fittingRows(
  table: TableRows,
  {
    headers,
    headerRow,
    limits,
    locale,
  }: { headers: string[]; headerRow: number; limits: ImportLimits; locale: Brand['locale'] },
): AsyncGenerator<{ rows: SourceRow[]; refused: Refused[] }> {
  let rows: SourceRow[] = []
  let refused: Refused[] = []
  // One row is held back: only at the end of the file is it known whether it is a whole one.
  let last: SourceRow | undefined
  const take = (row: SourceRow, cut: boolean) => {
    const problem = cut
      ? cutRow(row, headers.length, locale)
      : fitRow(row, headers.length, { limits, locale })
    if (problem) refused.push({ row, problem })
    else rows.push(row)
  }
  for await (const batch of table.batches()) {
    for (const row of batch) {
      if (row.row <= headerRow || row.cells.every((cell) => cell.trim() === '')) continue
      if (last) take(last, false)
      last = row
    }
    if (rows.length + refused.length >= CHUNK_ROWS) {
      yield { rows, refused }
      rows = []
      refused = []
    }
  }
  if (last) take(last, table.endsOpen() && last.cells.length < headers.length)
  if (rows.length + refused.length > 0) yield { rows, refused }
}

interface Converting extends Omit<Staging, 'record' | 'path'> {
  converter: Converter
  total: number
}

async function convertAll({
  context,
  converter,
  stage,
  limits,
  run,
  tally,
  locale,
  total,
}: Converting): Promise<void> {
  let position = STAGE_START
  let done = 0
  for (;;) {
    run.signal.throwIfAborted()
    const chunk = stage.readGroups(position, CHUNK_ROWS, limits.groupRows)
    if (chunk.rows === 0) return
    if (chunk.oversized) {
      const { key, firstRow, rows } = chunk.oversized
      const problem = oversizedGroup({ key, rows }, limits.groupRows, locale)
      stage.addGroupProblem(key, problem)
      tally.addProblem({ ...problem, row: firstRow }, rows)
    } else {
      const { events, problems } = await convertGroups(chunk.groups, converter)
      stage.addProblems(problems)
      tally.addProblems(problems)
      stage.addPeople(await whoIsKnown(context, tally.addEvents(events)))
      tally.known += await countKnown(context, events)
      tally.groups += chunk.groups.length
    }
    position = chunk.next
    done += chunk.rows
    run.progress({ done: Math.round((total + done) / 2), total, unit: 'rows' })
    // Lets requests in between; neither SQLite nor a source in this process gives way by itself.
    await setImmediate()
  }
}

// Both look up by index and go to `db`: on the reader threads a dry run would wait behind every report.

async function countKnown({ database: { db } }: ImportContext, events: NewEvent[]): Promise<number> {
  if (events.length === 0) return 0
  const ids = rowsOf(
    db,
    events.map(({ message_id }) => ({ message_id })),
    { message_id: 'text' },
  )
  const { count } = await db
    .selectFrom(ids)
    .innerJoin('events', (join) =>
      join.onRef('events.message_id', '=', 'r.message_id').on('events.source', '=', IMPORT_SOURCE),
    )
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return count
}

/** Says of each person whether a customer already has one of their identifiers. */
async function whoIsKnown(
  { database: { db } }: ImportContext,
  people: Map<string, Identifier[]>,
): Promise<Map<string, boolean>> {
  const named = [...people].flatMap(([person, identifiers]) =>
    identifiers.map(({ kind, value }) => ({ person, kind, value })),
  )
  const known = new Set<string>()
  if (named.length > 0) {
    const rows = await db
      .selectFrom(rowsOf(db, named, { person: 'text', kind: 'text', value: 'text' }))
      .innerJoin('identifiers', (join) =>
        join.onRef('identifiers.value', '=', 'r.value').onRef('identifiers.kind', '=', 'r.kind'),
      )
      .select('r.person')
      .distinct()
      .execute()
    for (const { person } of rows) known.add(person)
  }
  return new Map([...people.keys()].map((person) => [person, known.has(person)]))
}

async function preview(stage: Stage, converter: Converter): Promise<Record<string, unknown>[]> {
  const lines: Record<string, unknown>[] = []
  for (const group of stage.firstGroups(PREVIEW)) {
    const { events } = await convertGroups([group], converter).catch(() => ({ events: [] as NewEvent[] }))
    // The latest thing that happened says most about the rows.
    const latest = events.reduce<NewEvent | undefined>(
      (best, event) => (best && best.ts > event.ts ? best : event),
      undefined,
    )
    if (latest) lines.push(previewOf(group.rows[0]!.row, latest))
  }
  return lines
}
