import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import type { ImportContext } from './import-context.ts'
import { importFiles, removeImportFiles } from './import-folder.ts'
import { changeImport } from './records.ts'

const DAY = 86_400_000
/** An upload that nobody went on with is deleted after this long: it holds people's data. */
const FORGOTTEN_DAYS = 3

/**
 * Deletes files that no import needs any more: of imports that ended while the process died, of uploads that broke
 * off, and of those forgotten for days. Called at the start of a server and every night.
 */
export async function sweepImports(
  context: Pick<ImportContext, 'database' | 'clock' | 'dataDir'>,
): Promise<void> {
  const { db } = context.database
  const now = context.clock.now()
  const folder = path.join(context.dataDir, 'imports')
  const names = await readdir(folder).catch(() => [])
  for (const id of new Set(names.map((name) => name.split('.', 1)[0]!))) {
    const row = await db
      .selectFrom('imports')
      .select(['state', 'updated_at'])
      .where('id', '=', id)
      .executeTakeFirst()
    const files = importFiles(context.dataDir, id)
    if (!row) {
      const written = await stat(files.upload).catch(() => undefined)
      // An upload that is arriving right now has no record yet.
      if (!written || now - written.mtimeMs > DAY) await removeImportFiles(files, { problems: false })
      continue
    }
    const waiting = ['uploaded', 'checked', 'failed'] as const
    const forgotten =
      now - row.updated_at > FORGOTTEN_DAYS * DAY &&
      (await changeImport(db, { id, from: waiting, now }, { state: 'cancelled' }))
    if (forgotten || row.state === 'done' || row.state === 'cancelled')
      await removeImportFiles(files, { problems: true })
  }
}
