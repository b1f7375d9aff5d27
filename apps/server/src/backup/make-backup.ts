import { constants, existsSync } from 'node:fs'
import { copyFile, mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { copySqlite, inspectSqlite } from '@huitou/core'
import { userError } from '@huitou/plugin-api'
import { version } from '../version.ts'
import { type BackupManifest, digestOf, MANIFEST } from './manifest.ts'
import { dumpPostgres } from './postgres-tools.ts'
import { verifyBackup } from './verify-backup.ts'

/** Left out: what is made anew, what belongs to work under way, and the database, which is copied on its own. */
const LEFT_OUT = /^(huitou\.db.*|runtime|imports|backups|upgrade-check-.*|.*\.partial)$/

/** Where a Huitou keeps its data. */
export interface BackupSource {
  dataDir: string
  databaseUrl: string | undefined
}

export interface Backup {
  folder: string
  manifest: BackupManifest
  bytes: number
  tookMs: number
}

/**
 * Makes a backup in a new folder inside `into`, while the server runs or not, and proves it: the copy of the database is
 * read through, and every file is read back. The folder is called `.partial` until all of that is done.
 */
export async function makeBackup(
  source: BackupSource,
  { into, now, signal }: { into: string; now: number; signal?: AbortSignal },
): Promise<Backup> {
  const started = performance.now()
  const folder = path.join(path.resolve(into), `huitou-${stampOf(now)}`)
  refuseInside(folder, path.resolve(source.dataDir))
  const partial = `${folder}.partial`
  await makeFolder(into, partial)
  try {
    const tables = await copyDatabase(source, partial, signal)
    await copyFolder(source.dataDir, path.join(partial, 'files'), signal)
    const manifest: BackupManifest = {
      format: 1,
      version,
      at: now,
      engine: source.databaseUrl ? 'postgres' : 'sqlite',
      files: await listFiles(partial),
      tables,
    }
    await writeFile(path.join(partial, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`, {
      mode: 0o600,
      flush: true,
    })
    await verifyBackup(partial, signal)
    await rename(partial, folder)
    await syncFolder(path.dirname(folder))
    const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0)
    return { folder, manifest, bytes, tookMs: Math.round(performance.now() - started) }
  } catch (error) {
    await rm(partial, { recursive: true, force: true })
    if (['ENOSPC', 'SQLITE_FULL'].includes(String((error as NodeJS.ErrnoException).code)))
      throw userError('E_DISK_FULL', `There is no room for a backup in ${into}`, {
        cause: error,
        hint: 'Free some room, or name another folder. Nothing was left behind.',
      })
    throw error
  }
}

/** Removes all but the `keep` newest whole backups of a folder. Returns how many went. */
export async function pruneBackups(into: string, keep: number): Promise<number> {
  const names = (await readdir(into))
    .filter((name) => /^huitou-\d{8}T\d{6}Z$/.test(name))
    .toSorted()
    .toReversed()
  const old = names.slice(keep).filter((name) => existsSync(path.join(into, name, MANIFEST)))
  for (const name of old) await rm(path.join(into, name), { recursive: true })
  return old.length
}

async function copyDatabase(
  { databaseUrl, dataDir }: BackupSource,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<BackupManifest['tables']> {
  if (databaseUrl) {
    await dumpPostgres(databaseUrl, path.join(folder, 'huitou.dump'), signal)
    return {}
  }
  const file = path.join(dataDir, 'huitou.db')
  if (!existsSync(file))
    throw userError('E_NO_DATA', `There is no Huitou in ${dataDir}`, {
      hint: 'Name its data folder with --data.',
    })
  const copy = path.join(folder, 'huitou.db')
  await copySqlite(file, copy, signal)
  await sync(copy)
  const { problems, tables } = await inspectSqlite(copy, { signal })
  if (problems.length > 0)
    throw userError('E_DATABASE_DAMAGED', `The database is damaged: ${problems.join('; ')}`, {
      hint: 'Restore the last good backup, and look at the disk.',
    })
  return tables
}

async function copyFolder(from: string, to: string, signal: AbortSignal | undefined): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true, recursive: true })) {
    signal?.throwIfAborted()
    const relative = path.relative(from, path.join(entry.parentPath, entry.name))
    if (!entry.isFile() || LEFT_OUT.test(relative.split(path.sep)[0] ?? '')) continue
    const target = path.join(to, relative)
    await mkdir(path.dirname(target), { recursive: true, mode: 0o700 })
    await copyFile(path.join(from, relative), target, constants.COPYFILE_EXCL)
  }
}

async function listFiles(folder: string): Promise<BackupManifest['files']> {
  const files: BackupManifest['files'] = []
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue
    const file = path.join(entry.parentPath, entry.name)
    files.push({
      path: path.relative(folder, file).replaceAll(path.sep, '/'),
      bytes: (await stat(file)).size,
      sha256: await digestOf(file),
    })
  }
  return files.toSorted((a, b) => a.path.localeCompare(b.path))
}

/** A backup inside the data folder would be lost with it, and copied into the next one. */
function refuseInside(folder: string, dataDir: string): void {
  if (
    !path.relative(dataDir, folder).startsWith('..') &&
    path.dirname(folder) !== path.join(dataDir, 'backups')
  )
    throw userError('E_BACKUP_INSIDE', 'A backup cannot lie inside the data folder', {
      hint: 'Name a folder elsewhere, best on another disk.',
    })
}

async function makeFolder(into: string, partial: string): Promise<void> {
  try {
    await mkdir(into, { recursive: true })
    await rm(partial, { recursive: true, force: true })
    await mkdir(partial, { mode: 0o700 })
  } catch (cause) {
    throw userError('E_BACKUP_FOLDER', `Nothing can be written into ${into}: ${(cause as Error).message}`, {
      cause,
      hint: 'Name another folder with --to.',
    })
  }
}

/** `20261122T033000Z`: sorts by time, and fits every file system. */
function stampOf(now: number): string {
  return new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, '')
}

async function sync(file: string): Promise<void> {
  await using handle = await open(file, 'r+')
  await handle.sync()
}

async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  await using handle = await open(folder, 'r')
  await handle.sync()
}
