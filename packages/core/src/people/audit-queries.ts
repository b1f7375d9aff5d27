import type { Kysely } from 'kysely'
import type { Db } from '../db/database.ts'

export interface AuditFilter {
  /** Id of a person or key. */
  user?: string | undefined
  /** A whole action, or what it begins with up to a dot: `plugin.enable`, `plugin`. */
  action?: string | undefined
  from?: number | undefined
  until?: number | undefined
  /** Entries older than this one. */
  before?: number | undefined
  limit: number
}

export interface AuditRow {
  id: number
  at: number
  user: { id: string; name: string | null }
  action: string
  subject: string
  details: Record<string, unknown>
}

/** Entries of the audit log, newest first. */
export async function listAudit(
  db: Db,
  filter: AuditFilter,
): Promise<{ entries: AuditRow[]; next?: number }> {
  const { user, action, from, until, before, limit } = filter
  let query = db
    .selectFrom('audit_log')
    .selectAll()
    .orderBy('id', 'desc')
    .limit(limit + 1)
  if (user) query = query.where('user_id', '=', user)
  if (action) {
    query = query.where((where) =>
      where.or([
        where('action', '=', action),
        where.and([where('action', '>=', `${action}.`), where('action', '<', `${action}/`)]),
      ]),
    )
  }
  if (from !== undefined) query = query.where('at', '>=', from)
  if (until !== undefined) query = query.where('at', '<', until)
  if (before !== undefined) query = query.where('id', '<', before)
  const rows = await query.execute()
  const shown = rows.slice(0, limit)
  const names = await namesOf(
    db,
    shown.map((row) => row.user_id),
  )
  const last = shown.at(-1)
  return {
    entries: shown.map(({ id, at, user_id, action: what, subject, details }) => ({
      id,
      at,
      user: { id: user_id, name: names.get(user_id) ?? null },
      action: what,
      subject,
      details: JSON.parse(details) as Record<string, unknown>,
    })),
    ...(rows.length > limit && last ? { next: last.id } : {}),
  }
}

/** Every action that stands in the log, for a choice. */
export async function listAuditActions(db: Db): Promise<string[]> {
  const rows = await db.selectFrom('audit_log').select('action').distinct().orderBy('action').execute()
  return rows.map(({ action }) => action)
}

async function namesOf(db: Db, ids: readonly string[]): Promise<Map<string, string>> {
  const people = [...new Set(ids)]
  const keys = people.filter((id) => id.startsWith('key:')).map((id) => id.slice(4))
  const found = new Map<string, string>()
  if (keys.length > 0) {
    const rows = await db.selectFrom('api_keys').select(['id', 'name']).where('id', 'in', keys).execute()
    for (const { id, name } of rows) found.set(`key:${id}`, name)
  }
  if (people.length === 0) return found
  // Accounts belong to the sign-in library, whose table no type of ours knows; without people there is none.
  const rows = (await (db as unknown as Kysely<any>)
    .selectFrom('user')
    .select(['id', 'name'])
    .where('id', 'in', people)
    .execute()
    .catch(() => [])) as { id: string; name: string }[]
  for (const { id, name } of rows) found.set(id, name)
  return found
}
