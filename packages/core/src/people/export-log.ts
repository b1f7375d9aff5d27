import { userError } from '@huitou/plugin-api'
import type { Clock } from '../clock.ts'
import type { Db } from '../db/database.ts'
import { audit } from './audit.ts'

/** Shorter is no reason. */
const SHORTEST = 2
const LONGEST = 300

type ExportedThing = 'customers' | 'segment' | 'records' | 'report' | 'customer' | 'audit'

interface NewExport {
  userId: string
  what: ExportedThing
  /** Id of what was exported: a segment, a collection, a report; never a person's name. */
  subject: string
  /** What people call it. */
  title: string
  format: string
  rows: number | null
  reason: string
}

/**
 * Writes down that data leaves Huitou: who took what, how much of it and what for. Call before the first byte goes.
 * Throws `E_EXPORT_REASON` when nobody says what for.
 */
export async function logExport(db: Db, clock: Clock, { userId, ...entry }: NewExport): Promise<void> {
  const reason = checkedReason(entry.reason)
  await db
    .insertInto('exports')
    .values({
      at: clock.now(),
      user_id: userId,
      what: entry.what,
      subject: entry.subject,
      title: entry.title,
      format: entry.format,
      row_count: entry.rows,
      reason,
    })
    .execute()
  const { what, subject, format, rows } = entry
  await audit(db, clock, { userId, action: `${what}.export`, subject, details: { format, rows } })
}

/** Why data leaves, as a person says it. */
function checkedReason(reason: string): string {
  const text = reason.trim()
  if ([...text].length >= SHORTEST && text.length <= LONGEST) return text
  throw userError('E_EXPORT_REASON', `An export needs a reason of ${SHORTEST} to ${LONGEST} characters`, {
    status: 422,
    hint: 'Say in a few words what the file is for; it is shown to whoever answers for personal data.',
  })
}
