import { stat } from 'node:fs/promises'
import path from 'node:path'
import { inspectSqlite } from '@huitou/core'
import { userError } from '@huitou/plugin-api'
import { type BackupManifest, digestOf, readBackupManifest } from './manifest.ts'

/** Reads every file of a backup back, and its database through. Throws `E_BACKUP_DAMAGED` naming what does not fit. */
export async function verifyBackup(folder: string, signal?: AbortSignal): Promise<BackupManifest> {
  const manifest = await readBackupManifest(folder)
  const wrong: string[] = []
  for (const file of manifest.files) {
    signal?.throwIfAborted()
    const full = path.join(folder, file.path)
    const found = await stat(full).catch(() => undefined)
    if (!found) wrong.push(`${file.path} is missing`)
    else if (found.size !== file.bytes)
      wrong.push(`${file.path} has ${found.size} bytes instead of ${file.bytes}`)
    else if ((await digestOf(full)) !== file.sha256) wrong.push(`${file.path} has changed`)
  }
  if (wrong.length === 0 && manifest.engine === 'sqlite')
    wrong.push(...(await compareTables(path.join(folder, 'huitou.db'), manifest, signal)))
  if (wrong.length === 0) return manifest
  throw userError('E_BACKUP_DAMAGED', `The backup ${folder} is damaged: ${wrong.slice(0, 5).join('; ')}`, {
    hint: 'Take another backup, and look at the disk this one lies on.',
    details: { wrong },
  })
}

/** What differs between a database and what the backup says was in it. */
export async function compareTables(
  file: string,
  { tables }: BackupManifest,
  signal?: AbortSignal,
): Promise<string[]> {
  const found = await inspectSqlite(file, { tables: Object.keys(tables), signal })
  const differing = Object.entries(tables).filter(
    ([name, { rows, sum }]) => found.tables[name]?.rows !== rows || found.tables[name].sum !== sum,
  )
  return [...found.problems, ...differing.map(([name]) => `table ${name} differs`)]
}
