import { setImmediate as breathe } from 'node:timers/promises'
import { type Compilable, sql } from 'kysely'
import { readCursor } from '../db/cursor.ts'
import { type Database, type Db, transact, type Tx } from '../db/database.ts'
import { compileNodes, fromProfiles, type RuleScope } from './compile.ts'
import type { FollowedSegment } from './followed.ts'
import { applyChanges, type MembershipChange } from './membership.ts'

/** Changes written in one transaction, so that others wait only briefly. */
const CHUNK = 5_000

interface Moment {
  scope: RuleScope
  now: number
}

/**
 * Compares a segment's members with what its rule finds among all customers, and writes the difference. SQLite
 * works it out in a reader thread and writes it in pieces; a crash between them only means doing it again.
 */
export async function evaluateFully(
  database: Database,
  segment: FollowedSegment,
  moment: Moment,
): Promise<void> {
  if (database.engine === 'postgres') {
    await transact(database.db, async (tx) => {
      await readCursor(tx, 'segments')
      const rows = await tx.executeQuery<{ customer_id: number; entered: number }>(
        differenceOf(tx, segment, moment.scope).compile() as never,
      )
      for (let start = 0; start < rows.rows.length; start += CHUNK) {
        const chunk = rows.rows.slice(start, start + CHUNK)
        await applyChanges(
          tx,
          chunk.map((row) => ({ ...row, segment_id: segment.id })),
          { now: moment.now, day: moment.scope.today },
        )
      }
      await markEvaluated(tx, segment, moment)
    })
    return
  }
  const query = differenceOf(database.analytics, segment, moment.scope)
  const { vectors, count } = await database.readColumns(query, ['number', 'number'])
  const [ids, entered] = vectors.map((vector) =>
    vector.kind === 'number' ? vector.values : new Float64Array(),
  )
  for (let start = 0; start < count; start += CHUNK) {
    const changes: MembershipChange[] = []
    for (let row = start; row < Math.min(count, start + CHUNK); row++) {
      changes.push({ segment_id: segment.id, customer_id: ids?.[row] ?? 0, entered: entered?.[row] ?? 0 })
    }
    await breathe()
    const current = await transact(database.db, async (tx) => {
      if (!(await isCurrent(tx, segment))) return false
      await applyChanges(tx, changes, { now: moment.now, day: moment.scope.today })
      return true
    })
    if (!current) return
  }
  await transact(database.db, (tx) => markEvaluated(tx, segment, moment))
}

/** Customers whose membership is not what the rule says, and members that are customers no more. */
function differenceOf(db: Db | Tx, { id, rule }: FollowedSegment, scope: RuleScope): Compilable {
  const { conditions, joins } = compileNodes([rule], scope, 'all')
  const changed = fromProfiles(db, joins)
    .leftJoin('segment_members as m', (join) =>
      join.on('m.segment_id', '=', id).onRef('m.customer_id', '=', 'profiles.customer_id'),
    )
    .select('profiles.customer_id')
    .select(sql<number>`case when m.customer_id is null then 1 else 0 end`.as('entered'))
    .where(
      sql<boolean>`(case when ${conditions[0]} then 1 else 0 end) <> (case when m.customer_id is null then 0 else 1 end)`,
    )
  const gone = db
    .selectFrom('segment_members as m')
    .leftJoin('profiles', 'profiles.customer_id', 'm.customer_id')
    .select(['m.customer_id', sql<number>`0`.as('entered')])
    .where('m.segment_id', '=', id)
    .where('profiles.customer_id', 'is', null)
  return changed.unionAll(gone as never)
}

async function isCurrent(tx: Tx, { id, ruleText }: FollowedSegment): Promise<boolean> {
  const row = await tx.selectFrom('segments').select('rule').where('id', '=', id).executeTakeFirst()
  return row?.rule === ruleText
}

async function markEvaluated(tx: Tx, { id, ruleText }: FollowedSegment, { scope }: Moment): Promise<void> {
  await tx
    .updateTable('segments')
    .set({ evaluated_day: scope.today, error: null })
    .where('id', '=', id)
    .where('rule', '=', ruleText)
    .execute()
}
