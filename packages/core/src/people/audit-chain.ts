import { createHash } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { Db } from '../db/database.ts'

/** What the first entry of the log follows. */
export const CHAIN_START = '0'.repeat(64)

/** An entry as the chain sees it. */
export interface ChainedEntry {
  at: number
  user_id: string
  action: string
  subject: string
  details: string
}

/** The mark of an entry; it depends on every entry before, so none can be changed, taken out or put in between. */
export function linkHash(previous: string, { at, user_id, action, subject, details }: ChainedEntry): string {
  const text = JSON.stringify([previous, Number(at), user_id, action, subject, details])
  return createHash('sha256').update(text).digest('hex')
}

const BATCH = 1_000

/** Marks entries that were written before there was a chain, and writes down where it ends. */
export async function chainAuditLog(db: Kysely<any>): Promise<void> {
  let hash = CHAIN_START
  let entries = 0
  for await (const row of readChain(db)) {
    hash = linkHash(hash, row)
    entries++
    await db.updateTable('audit_log').set({ hash }).where('id', '=', row.id).execute()
  }
  await db.insertInto('audit_head').values({ id: 1, entries, hash }).execute()
}

export interface ChainReport {
  ok: boolean
  entries: number
  /** Mark of the newest entry; who keeps it elsewhere can tell later that nothing before it was changed. */
  head: string
  /** First entry that does not fit those before it. */
  brokenAt: number | null
  /** Entries that the log once held and that are gone from its end. */
  missing: number
}

/** Says whether the audit log still is what was written. Reads every entry. */
export async function verifyAuditLog(db: Db): Promise<ChainReport> {
  // Before the entries: what is written while they are read is none of theirs.
  const head = await db.selectFrom('audit_head').selectAll().where('id', '=', 1).executeTakeFirst()
  const expected = Number(head?.entries ?? 0)
  let hash = CHAIN_START
  let entries = 0
  for await (const row of readChain(db)) {
    if (entries >= expected) break
    hash = linkHash(hash, row)
    if (hash !== row.hash) return { ok: false, entries, head: hash, brokenAt: row.id, missing: 0 }
    entries++
  }
  const missing = expected - entries
  const ok = missing === 0 && hash === (head?.hash ?? CHAIN_START)
  return { ok, entries, head: hash, brokenAt: null, missing }
}

async function* readChain(
  db: Kysely<any>,
): AsyncGenerator<ChainedEntry & { id: number; hash: string | null }> {
  for (let after = 0; ;) {
    const rows = await db
      .selectFrom('audit_log')
      .selectAll()
      .where('id', '>', after)
      .orderBy('id')
      .limit(BATCH)
      .execute()
    for (const row of rows) yield row as ChainedEntry & { id: number; hash: string | null }
    const last = rows.at(-1)
    if (!last) return
    after = Number(last['id'])
  }
}
