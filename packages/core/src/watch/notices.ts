import type { Db, Tx } from '../db/database.ts'
import { transact } from '../db/database.ts'
import { type Alert, type Reconciled, toAlert } from './alerts.ts'
import { isFor, type Target } from './targets.ts'

const HOUR_MS = 3_600_000
/** What could not be told for a day is told no more: people have seen it on the page by then. */
const GIVEN_UP_MS = 24 * HOUR_MS
const FIRST_PAUSE_MS = 60_000
const LONGEST_PAUSE_MS = HOUR_MS
const KEPT_MS = 90 * 86_400_000

/** Why somebody could not be told. */
export interface Failure {
  /** `E_…`, or nothing for what nobody expected. */
  code: string
  message: string
  /** What texts of the code show, such as the words of the other side. */
  details: object
}

/** How it goes with telling one target. */
export interface Telling {
  target: string
  waiting: number
  sentAt: number | null
  /** Why the last attempt failed, in one line; null since one has worked. */
  error: string | null
  /** The same for whoever has words of their own for it. */
  problem: Failure | null
  triedAt: number | null
}

/** Something to be told: that an alert began, or that it is over. */
export interface Notice {
  alert: Alert
  state: 'raised' | 'resolved'
}

/**
 * Puts in line what each target is to be told of what just happened. What is over before anybody was told of it is not
 * told at all.
 */
export async function planNotices(
  db: Db,
  { raised, resolved }: Reconciled,
  { targets, now }: { targets: readonly Target[]; now: number },
): Promise<void> {
  if (targets.length === 0 || raised.length + resolved.length === 0) return
  await transact(db, async (tx) => {
    for (const target of targets) {
      for (const alert of raised)
        if (isFor(target, alert)) await plan(tx, target, { alert, state: 'raised', now })
      for (const alert of resolved) {
        const begun = await tx
          .deleteFrom('alert_notices')
          .where('alert_id', '=', alert.id)
          .where('target', '=', target.id)
          .where('sent_at', 'is', null)
          .returning('alert_id')
          .execute()
        if (begun.length > 0) continue
        const told = await tx
          .selectFrom('alert_notices')
          .select('alert_id')
          .where('alert_id', '=', alert.id)
          .where('target', '=', target.id)
          .executeTakeFirst()
        if (told) await plan(tx, target, { alert, state: 'resolved', now })
      }
    }
    await tx
      .deleteFrom('alert_notices')
      .where('at', '<', now - KEPT_MS)
      .execute()
  })
}

async function plan(tx: Tx, { id }: Target, { alert, state, now }: Notice & { now: number }): Promise<void> {
  await tx
    .insertInto('alert_notices')
    .values({ alert_id: alert.id, state, target: id, at: now, due_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** What is due for a target now, unless it has been told often enough within the hour. */
export async function dueNotices(
  db: Db,
  target: string,
  { perHour, now }: { perHour: number; now: number },
): Promise<Notice[]> {
  const { times } = await db
    .selectFrom('alert_notices')
    .select((query) => query.fn.count<number>('sent_at').distinct().as('times'))
    .where('target', '=', target)
    .where('sent_at', '>', now - HOUR_MS)
    .executeTakeFirstOrThrow()
  if (Number(times) >= perHour) return []
  const rows = await db
    .selectFrom('alert_notices as n')
    .innerJoin('alerts as a', 'a.id', 'n.alert_id')
    .selectAll('a')
    .select(['n.state', 'n.due_at'])
    .where('n.target', '=', target)
    .where('n.sent_at', 'is', null)
    .where('n.at', '>', now - GIVEN_UP_MS)
    .orderBy('n.at')
    .orderBy('n.alert_id')
    .limit(100)
    .execute()
  // What waits for another attempt is not overtaken by what came after it: one failure says enough of the way.
  if (rows.some(({ due_at }) => due_at > now)) return []
  return rows.map((row) => ({ alert: toAlert(row), state: row.state }))
}

/** Writes down how telling went. */
export async function noteTold(
  db: Db,
  target: string,
  { notices, now, error }: { notices: readonly Notice[]; now: number; error: Failure | undefined },
): Promise<void> {
  await transact(db, async (tx) => {
    for (const { alert, state } of notices) {
      const row = tx
        .updateTable('alert_notices')
        .where('alert_id', '=', alert.id)
        .where('state', '=', state)
        .where('target', '=', target)
      if (error === undefined) {
        await row.set({ sent_at: now, error: null, tried_at: now }).execute()
        await tx
          .updateTable('alerts')
          .set({ told_at: now })
          .where('id', '=', alert.id)
          .where('told_at', 'is', null)
          .execute()
        continue
      }
      const said = JSON.stringify(error)
      await row.set(({ eb }) => ({ tries: eb('tries', '+', 1), error: said, tried_at: now })).execute()
      const { tries } = await tx
        .selectFrom('alert_notices')
        .select('tries')
        .where('alert_id', '=', alert.id)
        .where('state', '=', state)
        .where('target', '=', target)
        .executeTakeFirstOrThrow()
      const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (tries - 1))
      await row.set({ due_at: now + pause }).execute()
    }
  })
}

/** Earlier versions kept the line alone. */
function readFailure(kept: string): Failure {
  return kept.startsWith('{') ? (JSON.parse(kept) as Failure) : { code: '', message: kept, details: {} }
}

/** How it goes with each target. */
export async function readTellings(db: Db, targets: readonly string[], now: number): Promise<Telling[]> {
  const found: Telling[] = []
  for (const target of targets) {
    const { waiting, sent_at } = await db
      .selectFrom('alert_notices')
      .select((query) => [
        query.fn.max('sent_at').as('sent_at'),
        query.fn
          .count<number>('alert_id')
          .filterWhere('sent_at', 'is', null)
          .filterWhere('at', '>', now - GIVEN_UP_MS)
          .as('waiting'),
      ])
      .where('target', '=', target)
      .executeTakeFirstOrThrow()
    const last = await db
      .selectFrom('alert_notices')
      .select(['error', 'tried_at'])
      .where('target', '=', target)
      .where('tried_at', 'is not', null)
      .orderBy('tried_at', 'desc')
      .limit(1)
      .executeTakeFirst()
    const problem = last?.error ? readFailure(last.error) : null
    found.push({
      target,
      waiting: Number(waiting),
      sentAt: sent_at === null ? null : Number(sent_at),
      error: problem && [problem.code, problem.message].filter(Boolean).join(': '),
      problem,
      triedAt: last?.tried_at ?? null,
    })
  }
  return found
}
