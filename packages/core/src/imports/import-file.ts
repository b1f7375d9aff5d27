import { constants } from 'node:fs'
import { copyFile, link, mkdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { userError } from '@huitou/plugin-api'
import { v7 as uuid } from 'uuid'
import { toDiskError } from './file-errors.ts'
import { type ImportContext, readLimits } from './import-context.ts'
import { checkSpace, importFiles } from './import-folder.ts'
import { addImport, cancelImport, checkNow, runNow, setMapping } from './imports.ts'
import { changeImport, getImportRecord, type ImportRecord, listImportRecords } from './records.ts'
import { sweepImports } from './sweep.ts'
import type { ImportState } from './tables.ts'

export interface FileImport {
  /** The file on this machine. */
  path: string
  source: string
  /** Any form that `readMapping` takes; what the source recognised when absent. */
  mapping?: unknown
  /** Options that stand above those of the mapping: currency, time zone, shop. */
  options?: Record<string, string | number | boolean>
  /** Only say what would happen. */
  dryRun?: boolean
  signal?: AbortSignal
  onProgress?: (progress: { phase: 'check' | 'import'; done: number; total: number | null }) => void
}

/**
 * Checks a file and imports it, in this process and to the end; returns the import as it then stands. When the
 * process was killed half-way, importing the same file again goes on where it stopped. Rows with problems do not
 * stop it: they are in the file of problems beside the data.
 */
export async function importFile(context: ImportContext, file: FileImport): Promise<ImportRecord> {
  const { db } = context.database
  await sweepImports(context)
  const begun = file.dryRun ? undefined : await findInterrupted(context, file.path, file.source)
  if (begun?.state === 'importing') return await finish(context, begun.id, file)
  if (begun) await cancelImport(context, begun.id)
  const { id } = await adopt(context, file)
  const { mapping } = await getImportRecord(db, id)
  if (file.mapping !== undefined || file.options) {
    const given = { ...((file.mapping ?? mapping ?? {}) as Record<string, unknown>) }
    given['options'] = { ...(given['options'] as object | undefined), ...file.options }
    await setMapping(context, id, given)
  }
  await mark(context, id, 'checking')
  await attempt(context, id, () => checkNow(context, id, runOf(file, 'check')))
  if (file.dryRun) return await getImportRecord(db, id)
  await mark(context, id, 'importing')
  return await finish(context, id, file)
}

async function finish(context: ImportContext, id: string, file: FileImport): Promise<ImportRecord> {
  await attempt(context, id, () => runNow(context, id, runOf(file, 'import')))
  return await getImportRecord(context.database.db, id)
}

/** Gives the file a second name in the data folder, or copies it where that cannot be. */
async function adopt(context: ImportContext, file: FileImport): Promise<ImportRecord> {
  const found = await stat(file.path).catch(() => undefined)
  if (!found?.isFile()) throw userError('E_FILE_NOT_FOUND', `There is no file "${file.path}"`)
  await checkSpace(context.dataDir, found.size, (await readLimits(context)).fileBytes)
  const id = uuid()
  const { upload } = importFiles(context.dataDir, id)
  await mkdir(path.dirname(upload), { recursive: true })
  try {
    await link(file.path, upload).catch(() => copyFile(file.path, upload, constants.COPYFILE_FICLONE))
  } catch (error) {
    throw toDiskError(error)
  }
  return await addImport(context, {
    id,
    name: path.basename(file.path),
    source: file.source,
    size: found.size,
  })
}

/** An import of this very file that a command began and did not end. */
async function findInterrupted(
  context: ImportContext,
  file: string,
  source: string,
): Promise<ImportRecord | undefined> {
  const present = await stat(file).catch(() => undefined)
  if (!present) return undefined
  for (const record of await listImportRecords(context.database.db, 50)) {
    if (
      !['checking', 'importing'].includes(record.state) ||
      record.jobId !== null ||
      record.source !== source
    )
      continue
    const kept = await stat(importFiles(context.dataDir, record.id).upload).catch(() => undefined)
    if (kept && kept.ino === present.ino && kept.dev === present.dev && kept.mtimeMs === present.mtimeMs)
      return record
  }
  return undefined
}

async function mark(context: ImportContext, id: string, state: ImportState): Promise<void> {
  await changeImport(
    context.database.db,
    { id, from: ['uploaded', 'checked'], now: context.clock.now() },
    { state },
  )
}

/** An import that fails is marked so, with its reason, as one that a job does. */
async function attempt(context: ImportContext, id: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    const { code = 'E_UNEXPECTED', message } = error as { code?: string; message: string }
    await changeImport(
      context.database.db,
      { id, from: ['checking'], now: context.clock.now() },
      { state: 'failed', error: { code, message } },
    )
    throw error
  }
}

function runOf({ signal, onProgress }: FileImport, phase: 'check' | 'import') {
  return {
    signal: signal ?? new AbortController().signal,
    progress: ({ done, total }: { done: number; total: number | null }) =>
      onProgress?.({ phase, done, total }),
  }
}
