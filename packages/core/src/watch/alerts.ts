import { notFound } from '@huitou/plugin-api'
import type { Selectable } from 'kysely'
import { type Db, transact, type Tx } from '../db/database.ts'
import type { Text } from '../points/points.ts'
import type { Finding } from './rules.ts'
import type { Severity, WatchTables } from './tables.ts'
import { textOf } from './texts.ts'

export interface Alert {
  id: number
  kind: string
  subject: string
  severity: Severity
  title: Text
  advice: Text
  to: string | null
  raisedAt: number
  seenAt: number
  resolvedAt: number | null
  acknowledgedAt: number | null
  acknowledgedBy: string | null
  note: string | null
}

/** A jump is over as soon as it is seen; people should still be able to read of it. */
const LASTING: Partial<Record<string, number>> = { clock_jumped: 3_600_000 }
const KEPT_MS = 90 * 86_400_000

export interface Reconciled {
  raised: Alert[]
  resolved: Alert[]
}

/** Raises what is new, resolves what is over, and leaves the rest as it is. */
export async function reconcile(db: Db, findings: readonly Finding[], now: number): Promise<Reconciled> {
  return await transact(db, async (tx) => {
    const open = await tx.selectFrom('alerts').selectAll().where('resolved_at', 'is', null).execute()
    const raised: Alert[] = []
    const met = new Set<number>()
    for (const { kind, subject, severity, details } of findings) {
      const facts = { severity, details: JSON.stringify(details), seen_at: now }
      const present = open.find((row) => row.kind === kind && row.subject === subject)
      if (present) {
        met.add(present.id)
        await tx.updateTable('alerts').set(facts).where('id', '=', present.id).execute()
        continue
      }
      const row = await tx
        .insertInto('alerts')
        .values({ kind, subject, ...facts, raised_at: now })
        .onConflict((conflict) => conflict.doNothing())
        .returningAll()
        .executeTakeFirst()
      if (row) raised.push(toAlert(row))
    }
    const over = open.filter(({ id, kind, seen_at }) => !met.has(id) && now - seen_at >= (LASTING[kind] ?? 0))
    if (over.length > 0) {
      await tx
        .updateTable('alerts')
        .set({ resolved_at: now })
        .where(
          'id',
          'in',
          over.map(({ id }) => id),
        )
        .execute()
    }
    await tx
      .deleteFrom('alerts')
      .where('resolved_at', '<', now - KEPT_MS)
      .execute()
    return { raised, resolved: over.map((row) => toAlert({ ...row, resolved_at: now })) }
  })
}

/** Open ones, those that nobody has seen first; or those that are over, newest first. */
export async function listAlerts(
  db: Db,
  { state, limit, before }: { state: 'open' | 'resolved'; limit: number; before?: number | undefined },
): Promise<Alert[]> {
  const rows = await db
    .selectFrom('alerts')
    .selectAll()
    .where('resolved_at', state === 'open' ? 'is' : 'is not', null)
    .$if(before !== undefined, (query) => query.where('id', '<', before as number))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
  const alerts = rows.map(toAlert)
  const rank = ({ acknowledgedAt, severity }: Alert) =>
    (acknowledgedAt === null ? 0 : 2) + (severity === 'critical' ? 0 : 1)
  return state === 'open' ? alerts.toSorted((a, b) => rank(a) - rank(b)) : alerts
}

export async function getAlert(db: Db | Tx, id: number): Promise<Alert> {
  const row = await db.selectFrom('alerts').selectAll().where('id', '=', id).executeTakeFirst()
  if (!row) throw notFound('Alert', String(id))
  return toAlert(row)
}

/** Somebody looks after it: it stays until it is over, and no longer asks for attention. */
export async function acknowledge(
  db: Db,
  id: number,
  { by, note, now }: { by: string; note: string | null; now: number },
): Promise<Alert> {
  await db
    .updateTable('alerts')
    .set({ acknowledged_at: now, acknowledged_by: by, note })
    .where('id', '=', id)
    .where('acknowledged_at', 'is', null)
    .execute()
  return await getAlert(db, id)
}

export function toAlert(row: Selectable<WatchTables['alerts']>): Alert {
  const { id, kind, subject, severity } = row
  const details = JSON.parse(row.details) as Finding['details']
  return {
    id,
    kind,
    subject,
    severity,
    ...textOf(kind, subject, details),
    raisedAt: row.raised_at,
    seenAt: row.seen_at,
    resolvedAt: row.resolved_at,
    acknowledgedAt: row.acknowledged_at,
    acknowledgedBy: row.acknowledged_by,
    note: row.note,
  }
}
