import { setImmediate } from 'node:timers/promises'
import { type RowGroup, type RowProblem, userError } from '@huitou/plugin-api'
import { sql } from 'kysely'
import { rowsOf } from '../db/rows.ts'
import type { NewEvent } from '../events/normalize.ts'
import type { Identifier } from '../identity/identifiers.ts'
import { lookupsOf } from '../people/identifier-lookup.ts'
import { ahead } from './ahead.ts'
import { convertGroups, type Converted, type Converter, IMPORT_SOURCE } from './convert.ts'
import { type DryRun, DryRunTally, previewOf } from './dry-run.ts'
import { CHUNK_ROWS, type FittingRows, fittingRows } from './fitting-rows.ts'
import { getSource, type ImportContext, type ImportRun, readLimits } from './import-context.ts'
import { getUpload, importFiles } from './import-folder.ts'
import type { ImportLimits } from './limits.ts'
import { checkRequired } from './mapping.ts'
import { writeProblems } from './problems-file.ts'
import type { ImportRecord } from './records.ts'
import { oversizedGroup } from './row-problems.ts'
import { Stage, STAGE_START, type StagedGroups } from './staging.ts'
import { openTable } from './table-file.ts'

const PREVIEW = 10

/**
 * Reads every row, puts rows that belong together into one place and converts them, writing nothing to the log.
 * Leaves the events for `runRows`, and the rows with problems as a CSV file.
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
    const total = await stageRows({ context, record, stage, path, limits, run, tally })
    await convertAll({ context, converter, stage, limits, run, tally, total })
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
}

async function stageRows({ context, record, stage, path, limits, run, tally }: Staging): Promise<number> {
  const { headers, headerRow, format } = record.facts
  const mapping = record.mapping!
  const { groupKeys } = getSource(context.points, record.source).value.run
  async function* keyed(source: AsyncGenerator<FittingRows>) {
    for await (const chunk of source) {
      run.signal.throwIfAborted()
      const keys = chunk.rows.length > 0 ? await groupKeys(chunk.rows, mapping, headers) : []
      yield { ...chunk, keys }
    }
  }
  let read = 0
  let staged = 0
  const table = await openTable(path, format, { limits, onRead: (bytes) => (read = bytes) })
  try {
    const rules = { columns: headers.length, limits, options: mapping.options }
    for await (const { rows, refused, problems, keys } of ahead(
      keyed(fittingRows(table.rows, { headerRow, rules })),
    )) {
      stage.addRows(rows, keys)
      stage.addRefused(refused)
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
  total,
}: Converting): Promise<void> {
  let done = 0
  for await (const { chunk, events, sources, problems } of ahead(
    convertedGroups(stage, converter, { limits, run }),
  )) {
    let groups = 0
    if (chunk.oversized) {
      const { key, firstRow, rows } = chunk.oversized
      const problem = oversizedGroup({ key, rows }, limits.groupRows)
      stage.addGroupProblem(key, problem)
      tally.addProblem({ ...problem, row: firstRow }, rows)
    } else {
      stage.addProblems(problems)
      tally.addProblems(problems)
      stage.addPeople(await whoIsKnown(context, tally.addEvents(events, sources)))
      tally.known += await countKnown(context, events)
      groups = countImported(chunk.groups, problems)
      tally.groups += groups
    }
    stage.addBatch({ rows: chunk.rows, groups, events })
    done += chunk.rows
    run.progress({ done: Math.round((total + done) / 2), total, unit: 'rows' })
  }
}

interface ConvertedGroups extends Converted {
  chunk: StagedGroups
}

async function* convertedGroups(
  stage: Stage,
  converter: Converter,
  { limits, run }: { limits: ImportLimits; run: ImportRun },
): AsyncGenerator<ConvertedGroups, void> {
  let position = STAGE_START
  for (;;) {
    run.signal.throwIfAborted()
    // Lets requests in between; neither SQLite nor a source in this process gives way by itself.
    await setImmediate()
    const chunk = stage.readGroups(position, CHUNK_ROWS, limits.groupRows)
    if (chunk.rows === 0) return
    position = chunk.next
    yield { chunk, ...(await convertGroups(chunk.groups, converter)) }
  }
}

/** Groups of which at least one row is imported: orders, not lines that nobody can read. */
function countImported(groups: readonly RowGroup[], problems: readonly RowProblem[]): number {
  const skipped = new Set(problems.filter(({ outcome }) => outcome === 'skipped').map(({ row }) => row))
  return groups.filter(({ rows }) => rows.some(({ row }) => !skipped.has(row))).length
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
  { database: { db, vault } }: ImportContext,
  people: ReadonlyMap<string, readonly Identifier[]>,
): Promise<Map<string, boolean>> {
  const named = [...people].flatMap(([person, identifiers]) =>
    identifiers.flatMap(({ kind, value }) =>
      lookupsOf(vault, value).map((lookup) => ({ person, kind, lookup })),
    ),
  )
  const known = new Set<string>()
  if (named.length > 0) {
    const rows = await db
      .selectFrom(rowsOf(db, named, { person: 'text', kind: 'text', lookup: 'text' }))
      .innerJoin('identifiers', (join) =>
        join
          .on(sql<boolean>`coalesce(identifiers.lookup, identifiers.value) = r.lookup`)
          .onRef('identifiers.kind', '=', 'r.kind'),
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
