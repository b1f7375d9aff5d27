import { createReadStream } from 'node:fs'
import { appendFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createGunzip } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import { stringify } from 'csv-stringify/sync'
import { userError } from '@huitou/plugin-api'
import type { Clock } from '../clock.ts'
import type { Db } from '../db/database.ts'
import { importFiles, removeImportFiles } from '../imports/import-folder.ts'
import { changeImport } from '../imports/records.ts'
import { uploadContents } from '../imports/upload-contents.ts'
import { recordUploads } from '../collections/import-records.ts'
import { count, type Removed } from './erase-rows.ts'
import type { MarkFinder } from './marks.ts'
import type { Suppressed } from './suppression.ts'

interface Context {
  dataDir: string
  db: Db
  clock: Clock
}

/** Takes the customer out of the files in the data folder: rows with problems, uploads that wait, files to fetch. */
export async function eraseFiles(context: Context, finder: MarkFinder, removed: Removed): Promise<void> {
  if (finder.marks.length === 0) return
  await eraseImportFiles(context, finder, removed)
  const uploads = recordUploads(context.dataDir)
  for (const name of await readdir(uploads).catch(() => [])) {
    if (!(await uploadHolds(path.join(uploads, name), finder))) continue
    await rm(path.join(uploads, name), { force: true })
    count(removed, 'files', 1)
  }
  const exports = path.join(context.dataDir, 'plugin-exports')
  for (const name of await readdir(exports).catch(() => [])) {
    const file = path.join(exports, name)
    if (!(await streamHolds(createReadStream(file).pipe(createGunzip()), finder))) continue
    await rm(file, { force: true })
    count(removed, 'files', 1)
  }
}

async function eraseImportFiles(
  { dataDir, db, clock }: Context,
  finder: MarkFinder,
  removed: Removed,
): Promise<void> {
  const names = await readdir(path.join(dataDir, 'imports')).catch(() => [])
  for (const id of new Set(names.map((name) => name.split('.', 1)[0]!))) {
    const files = importFiles(dataDir, id)
    if (await cleanCsv(files.problems, finder)) count(removed, 'files', 1)
    if (!(await uploadHolds(files.upload, finder))) continue
    // Under way it is left to its end: the person's rows come to nothing, and the file goes when it is done.
    const waiting = ['uploaded', 'checked', 'paused', 'failed', 'cancelled', 'done'] as const
    const { code, message } = userError('E_IMPORT_ERASED', 'The file named somebody who was erased')
    const stopped = await changeImport(
      db,
      { id, from: waiting, now: clock.now() },
      { state: 'cancelled', error: { code, message } },
    )
    if (!stopped) continue
    await removeImportFiles(files, { problems: true })
    count(removed, 'files', 1)
  }
}

/** Takes the lines that hold a mark out of a CSV file; false when there was none. */
async function cleanCsv(file: string, finder: MarkFinder): Promise<boolean> {
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (text === undefined || !finder.isIn(text)) return false
  const rows = parse(text, { bom: true, relax_column_count: true }) as string[][]
  const kept = rows.filter((cells) => !cells.some((cell) => finder.isIn(cell)))
  const partial = `${file}.partial`
  await writeFile(partial, stringify(kept, { bom: true }), { mode: 0o600 })
  await rename(partial, file)
  return true
}

/** Whether a mark stands in what was uploaded. What is there and cannot be searched may hold anybody. */
async function uploadHolds(file: string, finder: MarkFinder): Promise<boolean> {
  try {
    return await hasMark(uploadContents(file), finder)
  } catch (error) {
    return (error as { code?: string }).code !== 'ENOENT'
  }
}

/** The same of a file of our own; one that is gone, or cannot be read, holds nothing that anybody can read. */
async function streamHolds(stream: AsyncIterable<Buffer>, finder: MarkFinder): Promise<boolean> {
  return await hasMark(stream, finder).catch(() => false)
}

/** Whether a mark stands in the stream's text, whichever of the usual encodings it has. */
async function hasMark(stream: AsyncIterable<Buffer>, finder: MarkFinder): Promise<boolean> {
  // Digits and addresses of mail are the same bytes in UTF-8 and GB18030, and in UTF-16 but for the zeros between.
  const marks = finder.marks.map((mark) => Buffer.from(mark).toString('latin1'))
  const longest = Math.max(...marks.map((mark) => mark.length))
  let tail = ''
  for await (const chunk of stream) {
    const text = tail + chunk.toString('latin1').replaceAll('\0', '')
    if (marks.some((mark) => text.includes(mark))) return true
    tail = text.slice(-longest)
  }
  return false
}

/** An erasure as it stands outside the database, for copies of it that know nothing of the erasure. */
export interface NotedErasure {
  id: string
  at: number
  keyId: string
  hashes: Suppressed[]
}

/** The file that every backup takes along; it holds keyed hashes only. */
export function erasuresFile(dataDir: string): string {
  return path.join(dataDir, 'erasures.jsonl')
}

export async function noteErasure(dataDir: string, erasure: NotedErasure): Promise<void> {
  if ((await readNotedErasures(erasuresFile(dataDir))).some(({ id }) => id === erasure.id)) return
  await mkdir(dataDir, { recursive: true })
  await appendFile(erasuresFile(dataDir), `${JSON.stringify(erasure)}\n`, { mode: 0o600, flush: true })
}

/** Erasures that a file tells of; a line that a crash cut off is left out. */
export async function readNotedErasures(file: string): Promise<NotedErasure[]> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return text.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as NotedErasure]
    } catch {
      return []
    }
  })
}

/** Brings the erasures that other copies tell of into a data folder's list. Returns how many it did not know. */
export async function mergeErasures(dataDir: string, files: readonly string[]): Promise<number> {
  const known = new Set((await readNotedErasures(erasuresFile(dataDir))).map(({ id }) => id))
  let added = 0
  for (const file of files)
    for (const erasure of await readNotedErasures(file)) {
      if (known.has(erasure.id)) continue
      known.add(erasure.id)
      await noteErasure(dataDir, erasure)
      added++
    }
  return added
}
