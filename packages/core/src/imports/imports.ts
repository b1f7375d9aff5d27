import path from 'node:path'
import { AppError, type Mapping } from '@huitou/plugin-api'
import { v7 as uuid } from 'uuid'
import type { JobContext } from '../jobs/jobs.ts'
import { checkRows } from './check.ts'
import { getSource, type ImportContext, readLimits } from './import-context.ts'
import { checkSpace, importFiles, removeImportFiles, storeUpload, type UploadBody } from './import-folder.ts'
import { inspectTable } from './inspect.ts'
import { checkRequired, readMapping } from './mapping.ts'
import {
  changeImport,
  checkState,
  getImportRecord,
  type ImportRecord,
  insertImportRecord,
  type StoredError,
  wrongState,
} from './records.ts'
import { runRows } from './run.ts'
import type { ImportState } from './tables.ts'

const CHECK = 'import.check'
const RUN = 'import.run'

const ENDED: readonly ImportState[] = ['done', 'cancelled']
const UNSTARTED: readonly ImportState[] = ['uploaded', 'checked', 'failed']

export interface NewUpload {
  /** Name of the file, as its owner knows it. */
  name: string
  /** Source that shall read it: `commerce.orders`. */
  source: string
  /** Bytes, when the sender says so. */
  size?: number
}

/** Stores a file as it arrives and finds out what it is. A file that cannot be read is refused and not kept. */
export async function receiveUpload(
  context: ImportContext,
  body: UploadBody,
  { name, source, size }: NewUpload,
): Promise<ImportRecord> {
  const { fileBytes } = await readLimits(context)
  getSource(context.points, source)
  if (size !== undefined) await checkSpace(context.dataDir, size, fileBytes)
  const id = uuid()
  const stored = await storeUpload(body, importFiles(context.dataDir, id).upload, fileBytes)
  return await addImport(context, { id, name, source, size: stored })
}

/** Makes an import of a file that lies in the data folder already. */
export async function addImport(
  context: ImportContext,
  { id, name, source, size }: { id: string; name: string; source: string; size: number },
): Promise<ImportRecord> {
  const files = importFiles(context.dataDir, id)
  const limits = await readLimits(context)
  const { run } = getSource(context.points, source).value
  const fileName = path.basename(name.replaceAll('\\', '/')).slice(0, 255)
  try {
    const facts = await inspectTable(files.upload, { name: fileName, recognise: run.recognise, limits })
    const mapping = facts.recognitions[0]?.mapping ?? null
    await insertImportRecord(
      context.database.db,
      { id, name: fileName, source, size, facts, mapping },
      context.clock.now(),
    )
  } catch (error) {
    await removeImportFiles(files, { problems: false })
    throw error
  }
  return await getImportRecord(context.database.db, id)
}

/** Sets what the columns mean; what was checked before is void. Accepts every form that `readMapping` does. */
export async function setMapping(context: ImportContext, id: string, given: unknown): Promise<ImportRecord> {
  const { db } = context.database
  const record = await withoutCheck(context, await getImportRecord(db, id))
  checkUnstarted(record, 'given another mapping')
  const { fields } = getSource(context.points, record.source).value
  const { headers, recognitions } = record.facts
  const mapping: Mapping = readMapping(given, {
    headers,
    fields,
    recognitions,
    present: record.mapping ?? undefined,
  })
  await change(
    context,
    record,
    { from: UNSTARTED, action: 'given another mapping' },
    { mapping, dryRun: null, state: 'uploaded', error: null },
  )
  return await getImportRecord(db, id)
}

/** Ends the dry run that is under way, if one is: somebody thought better of what it goes by. */
async function withoutCheck(context: ImportContext, record: ImportRecord): Promise<ImportRecord> {
  const { id, state, jobId } = record
  if (state !== 'checking') return record
  if (jobId) {
    await context.jobs.cancel(jobId).catch(ignoreUserError)
    // Until it has let go of the file, another may not begin.
    await context.jobs.finished(jobId)
  }
  await changeImport(context.database.db, at(context, id, ['checking']), { state: 'uploaded' })
  return await getImportRecord(context.database.db, id)
}

/** Begins a dry run, unless one is under way. Its end is seen in the import's state; its progress in the job. */
export async function checkImport(context: ImportContext, id: string): Promise<ImportRecord> {
  const record = await getImportRecord(context.database.db, id)
  if (record.state === 'checking') return await enqueue(context, record, CHECK)
  checkUnstarted(record, 'checked')
  checkRequired(
    record.mapping ?? { format: '', fields: {}, options: {} },
    getSource(context.points, record.source).value.fields,
  )
  await change(
    context,
    record,
    { from: UNSTARTED, action: 'checked' },
    { state: 'checking', dryRun: null, error: null },
  )
  return await enqueue(context, record, CHECK)
}

/** Begins the import proper; or goes on with one that failed. */
export async function startImport(context: ImportContext, id: string): Promise<ImportRecord> {
  const record = await getImportRecord(context.database.db, id)
  checkState(record, ['checked', 'failed'], 'started')
  if (!record.dryRun) throw wrongState(record, 'started before it has been checked')
  await change(
    context,
    record,
    { from: ['checked', 'failed'], action: 'started' },
    { state: 'importing', error: null },
  )
  return await enqueue(context, record, RUN)
}

export async function pauseImport(context: ImportContext, id: string): Promise<ImportRecord> {
  const record = await getImportRecord(context.database.db, id)
  checkState(record, ['checking', 'importing'], 'paused')
  if (record.jobId) await context.jobs.pause(record.jobId)
  await changeImport(context.database.db, at(context, id, ['checking', 'importing']), { state: 'paused' })
  return await getImportRecord(context.database.db, id)
}

/** Goes on where a paused import stopped. */
export async function resumeImport(context: ImportContext, id: string): Promise<ImportRecord> {
  const record = await getImportRecord(context.database.db, id)
  checkState(record, ['paused'], 'resumed')
  if (!record.jobId) throw wrongState(record, 'resumed')
  const { kind } = await context.jobs.get(record.jobId)
  await changeImport(context.database.db, at(context, id, ['paused']), {
    state: kind === CHECK ? 'checking' : 'importing',
  })
  await context.jobs.resume(record.jobId)
  return await getImportRecord(context.database.db, id)
}

/** Ends an import for good and deletes its file. Events that are in the log by then stay there. */
export async function cancelImport(context: ImportContext, id: string): Promise<ImportRecord> {
  const { db } = context.database
  const record = await getImportRecord(db, id)
  if (ENDED.includes(record.state)) throw wrongState(record, 'cancelled')
  const from: ImportState[] = ['uploaded', 'checking', 'checked', 'importing', 'paused', 'failed']
  await change(context, record, { from, action: 'cancelled' }, { state: 'cancelled' })
  // A job that has just ended by itself cannot be cancelled, and need not be.
  if (record.jobId) await context.jobs.cancel(record.jobId).catch(ignoreUserError)
  await removeImportFiles(importFiles(context.dataDir, id), { problems: true })
  return await getImportRecord(db, id)
}

/** Says who does the work of imports. Call once on every node that runs jobs. */
export function defineImportJobs(context: ImportContext): void {
  context.jobs.define(CHECK, (job) => runJob(context, job, checkNow))
  context.jobs.define(RUN, (job) => runJob(context, job, runNow))
}

type Verb = (
  context: ImportContext,
  id: string,
  run: Pick<JobContext, 'signal' | 'progress'>,
) => Promise<Record<string, unknown>>

/** Checks at once, without a job: for commands. */
export const checkNow: Verb = async (context, id, run) => {
  const record = await getImportRecord(context.database.db, id)
  if (record.state !== 'checking') return {}
  const dryRun = await checkRows(context, record, run)
  await changeImport(context.database.db, at(context, id, ['checking']), { state: 'checked', dryRun })
  return { rows: dryRun.rows, problemRows: dryRun.problemRows, groups: dryRun.groups }
}

/** Imports at once, without a job: for commands. */
export const runNow: Verb = async (context, id, run) => {
  const record = await getImportRecord(context.database.db, id)
  const files = importFiles(context.dataDir, id)
  if (record.state === 'done') {
    // It died between the last row and here.
    await removeImportFiles(files, { problems: true })
    return record.result ?? {}
  }
  if (record.state !== 'importing') return {}
  const result = await runRows(context, record, run)
  await changeImport(context.database.db, at(context, id, ['importing']), { state: 'done', result })
  await removeImportFiles(files, { problems: true })
  return result
}

async function runJob(
  context: ImportContext,
  { job, signal, progress }: JobContext,
  verb: Verb,
): Promise<Record<string, unknown>> {
  const id = String(job.payload['importId'])
  const active: ImportState = job.kind === CHECK ? 'checking' : 'importing'
  // A job that is tried again after the world failed it finds its import marked as failed.
  await changeImport(context.database.db, at(context, id, ['failed']), { state: active, error: null })
  try {
    return await verb(context, id, { signal, progress })
  } catch (error) {
    if (!signal.aborted) {
      await changeImport(context.database.db, at(context, id, [active]), {
        state: 'failed',
        error: toStoredError(error),
      })
    }
    throw error
  } finally {
    const { state } = await getImportRecord(context.database.db, id)
    if (state === 'cancelled') await removeImportFiles(importFiles(context.dataDir, id), { problems: true })
  }
}

async function enqueue(
  context: ImportContext,
  { id, name }: ImportRecord,
  kind: string,
): Promise<ImportRecord> {
  const job = await context.jobs.enqueue({
    kind,
    title: name,
    payload: { importId: id },
    key: `${kind}:${id}`,
    here: true,
  })
  await changeImport(
    context.database.db,
    at(context, id, ['checking', 'importing', 'checked', 'done', 'failed']),
    { jobId: job.id },
  )
  return await getImportRecord(context.database.db, id)
}

async function change(
  context: ImportContext,
  record: ImportRecord,
  { from, action }: { from: readonly ImportState[]; action: string },
  to: Parameters<typeof changeImport>[2],
): Promise<void> {
  if (await changeImport(context.database.db, at(context, record.id, from), to)) return
  throw wrongState(await getImportRecord(context.database.db, record.id), action)
}

/** An import of which rows are in the log already only goes on as it began. */
function checkUnstarted(record: ImportRecord, action: string): void {
  checkState(record, UNSTARTED, action)
  if (record.position !== null) throw wrongState(record, action)
}

function at(context: ImportContext, id: string, from: readonly ImportState[]) {
  return { id, from, now: context.clock.now() }
}

function toStoredError(error: unknown): StoredError {
  if (error instanceof AppError)
    return { code: error.code, message: error.message, hint: error.hint, details: error.details }
  return { code: 'E_UNEXPECTED', message: error instanceof Error ? error.message : String(error) }
}

function ignoreUserError(error: unknown): void {
  if (!(error instanceof AppError && error.kind === 'user')) throw error
}
