import type { Clock } from '../clock.ts'
import type { Db, Tx } from '../db/database.ts'

/** Writes down who did what to what. `details` never hold personal data. */
export async function audit(
  db: Db | Tx,
  clock: Clock,
  entry: { userId: string; action: string; subject: string; details?: object },
): Promise<void> {
  await db
    .insertInto('audit_log')
    .values({
      at: clock.now(),
      user_id: entry.userId,
      action: entry.action,
      subject: entry.subject,
      details: JSON.stringify(entry.details ?? {}),
    })
    .execute()
}
