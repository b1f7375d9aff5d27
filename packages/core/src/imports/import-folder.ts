import { createWriteStream } from 'node:fs'
import { mkdir, rm, stat, statfs } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { AppError, userError } from '@huitou/plugin-api'
import { toDiskError } from './file-errors.ts'

/** Where the files of one import lie. */
export interface ImportFiles {
  /** As uploaded. */
  upload: string
  /** Rows sorted into groups, a SQLite file. */
  stage: string
  /** Rows that cannot be imported, with the reasons. */
  problems: string
}

export function importFiles(dataDir: string, id: string): ImportFiles {
  const base = path.join(dataDir, 'imports', id)
  return { upload: base, stage: `${base}.stage`, problems: `${base}.problems.csv` }
}

export type UploadBody = ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>

/** Writes a body to `file` as it arrives and returns its size. What was written is taken away again on failure. */
export async function storeUpload(body: UploadBody, file: string, limit: number): Promise<number> {
  await mkdir(path.dirname(file), { recursive: true })
  let size = 0
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      size += chunk.length
      if (size > limit) throw tooLarge(limit)
      yield chunk
    }
  }
  try {
    await pipeline(
      Readable.from(counted(), { objectMode: false, highWaterMark: 1 << 20 }),
      createWriteStream(file, { mode: 0o600 }),
    )
  } catch (error) {
    await rm(file, { force: true })
    throw toDiskError(error)
  }
  return size
}

/** Refuses an upload of a known size before it is sent in vain. */
export async function checkSpace(dataDir: string, bytes: number, limit: number): Promise<void> {
  if (bytes > limit) throw tooLarge(limit)
  await mkdir(dataDir, { recursive: true })
  const { bavail, bsize } = await statfs(dataDir)
  // The rows are laid out once more beside the file while it is being imported.
  if (bavail * bsize < bytes * 2) throw toDiskError(Object.assign(new Error('no space'), { code: 'ENOSPC' }))
}

export async function removeImportFiles(files: ImportFiles, keep: { problems: boolean }): Promise<void> {
  const doomed = [files.upload, files.stage, ...(keep.problems ? [] : [files.problems])]
  await Promise.all(doomed.map((file) => rm(file, { force: true })))
}

/** Fails with what to do when the uploaded file is no longer there. */
export async function getUpload(files: ImportFiles): Promise<string> {
  const found = await stat(files.upload).catch(() => undefined)
  if (found) return files.upload
  throw new AppError('user', 'E_IMPORT_FILE_GONE', 'The uploaded file is no longer in the data folder', {
    hint: 'Upload it again. Rows that were imported before are recognised and not doubled.',
    status: 409,
  })
}

function tooLarge(limit: number) {
  return userError('E_FILE_TOO_LARGE', `A file may have ${Math.round(limit / 1_024 ** 2)} MB`, {
    hint: 'Split the file by month, or raise the limit in the settings of imports.',
    details: { megabytes: Math.round(limit / 1_024 ** 2) },
    status: 413,
  })
}
