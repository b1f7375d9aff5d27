import type { Clock } from '../clock.ts'
import { type Db, transact, type Tx } from '../db/database.ts'
import { linkHash } from './audit-chain.ts'

/** Who is written down when nobody in particular asked. */
export const NOBODY = 'nobody'

export interface AuditEntry {
  /** Id of a person, `key:<id>` of an API key, `system`, or `nobody` for whoever did not sign in. */
  userId: string
  /** `thing.verb` */
  action: string
  subject: string
  /** Never personal data. */
  details?: object
}

/**
 * Writes down who did what to what, for good: the log takes no changes, and every entry carries a mark of all before
 * it. Inside a transaction the entry stands or falls with it.
 */
export async function audit(db: Db | Tx, clock: Clock, entry: AuditEntry): Promise<void> {
  await (db.isTransaction
    ? append(db as Tx, clock, entry)
    : transact(db as Db, (tx) => append(tx, clock, entry)))
}

async function append(tx: Tx, clock: Clock, { userId, action, subject, details }: AuditEntry): Promise<void> {
  // Whoever writes next waits here until this entry stands or is taken back.
  const { hash: previous } = await tx
    .updateTable('audit_head')
    .set((row) => ({ entries: row('entries', '+', 1) }))
    .where('id', '=', 1)
    .returning('hash')
    .executeTakeFirstOrThrow()
  const row = {
    at: clock.now(),
    user_id: userId,
    action,
    subject,
    details: JSON.stringify(details ?? {}),
  }
  const hash = linkHash(previous, row)
  await tx
    .insertInto('audit_log')
    .values({ ...row, hash })
    .execute()
  await tx.updateTable('audit_head').set({ hash }).where('id', '=', 1).execute()
}
