import { existsSync } from 'node:fs'
import { copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { mergeErasures } from '@huitou/core'
import { userError } from '@huitou/plugin-api'
import type { BackupManifest } from './manifest.ts'
import { restorePostgres } from './postgres-tools.ts'
import { compareTables, verifyBackup } from './verify-backup.ts'

export interface Restored {
  manifest: BackupManifest
  folder: string
  /** Customers erased after the backup was made, who are erased again before anything runs. */
  erasedSince: number
}

/**
 * Puts a backup into an empty data folder (and, for PostgreSQL, an empty database) and compares what is there then with
 * what the backup says, table by table. Nothing that exists is overwritten; on failure nothing is left behind. Who was
 * erased since is taken from the backups beside this one, and from `erasures`, the list of the folder that is replaced.
 */
export async function restoreBackup(
  backup: string,
  {
    dataDir,
    databaseUrl,
    erasures,
  }: { dataDir: string; databaseUrl: string | undefined; erasures?: string | undefined },
): Promise<Restored> {
  const folder = path.resolve(dataDir)
  if (existsSync(folder) && (await readdir(folder)).length > 0)
    throw userError('E_NOT_EMPTY', `${folder} is not empty; a backup is restored into an empty folder only`, {
      hint: 'Move the folder out of the way first, so that nothing is lost, or name another with --data.',
    })
  const manifest = await verifyBackup(backup)
  if (manifest.engine === 'postgres' && !databaseUrl)
    throw userError('E_BACKUP_ENGINE', 'This backup is of a PostgreSQL database', {
      hint: 'Set DATABASE_URL to an empty database to restore it into.',
    })
  if (manifest.engine === 'sqlite' && databaseUrl)
    throw userError(
      'E_BACKUP_ENGINE',
      'This backup is of a SQLite database, and DATABASE_URL names another',
      {
        hint: 'Unset DATABASE_URL and restore into a folder.',
      },
    )
  const partial = `${folder}.partial`
  try {
    await rm(partial, { recursive: true, force: true })
    await mkdir(partial, { recursive: true, mode: 0o700 })
    for (const file of manifest.files) {
      const inside = file.path.startsWith('files/') ? file.path.slice('files/'.length) : file.path
      const target = path.resolve(partial, inside)
      if (!target.startsWith(partial + path.sep)) throw new Error(`${file.path} leads outside the backup`)
      if (inside === 'huitou.dump') continue
      await mkdir(path.dirname(target), { recursive: true, mode: 0o700 })
      await copyFile(path.join(backup, file.path), target)
    }
    if (databaseUrl) await restorePostgres(databaseUrl, path.join(backup, 'huitou.dump'))
    else {
      const wrong = await compareTables(path.join(partial, 'huitou.db'), manifest)
      if (wrong.length > 0)
        throw userError('E_BACKUP_DAMAGED', `What was restored is not what was saved: ${wrong.join('; ')}`)
    }
    const erasedSince = await mergeErasures(partial, [
      ...(await listsBeside(backup)),
      ...(erasures === undefined ? [] : [erasures]),
    ])
    if (existsSync(folder)) await rm(folder, { recursive: true })
    await rename(partial, folder)
    return { manifest, folder, erasedSince }
  } catch (error) {
    await rm(partial, { recursive: true, force: true })
    throw error
  }
}

/** Every backup has the list of erasures as it was then; a later one knows more. */
async function listsBeside(backup: string): Promise<string[]> {
  const into = path.dirname(path.resolve(backup))
  const names = await readdir(into).catch(() => [])
  return names.map((name) => path.join(into, name, 'files', 'erasures.jsonl'))
}
