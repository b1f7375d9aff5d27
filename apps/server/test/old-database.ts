import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'

/**
 * A database as the version of that day left it: the demo shop with sixty customers, an owner, a segment, a live
 * journey with somebody under way, a template, a task and an order that came in by text message.
 */
const FILE = path.join(import.meta.dirname, 'fixtures/huitou-2026-11-22.db.gz')

/** Its owner. */
export const OLD_OWNER = { email: 'lan@example.com', password: 'correct horse battery' }

/** Puts the database that an older version wrote into a data folder. */
export function layOldDatabase(dataDir: string): void {
  writeFileSync(path.join(dataDir, 'huitou.db'), gunzipSync(readFileSync(FILE)), { mode: 0o600 })
}
