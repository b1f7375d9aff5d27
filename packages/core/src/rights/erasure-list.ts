import type { Db } from '../db/database.ts'
import type { Text } from '../points/points.ts'
import type { Removed } from './erase-rows.ts'
import type { RightsTables } from './tables.ts'

/** What is left of an erased customer. */
export interface Erasure {
  id: string
  state: 'requested' | 'done'
  customerId: number
  reason: string
  requestedBy: string
  requestedAt: number
  finishedAt: number | null
  removed: Removed
  /** What plugins that keep data elsewhere have answered. */
  plugins: {
    plugin: string
    title: Text
    state: 'waiting' | 'done' | 'gone'
    attempts: number
    error: string | null
    answeredAt: number | null
    removed: number
  }[]
}

/** Erasures, the latest first, with what plugins answered. */
export async function listErasures(db: Db, limit: number): Promise<Erasure[]> {
  const rows = await db
    .selectFrom('erasures')
    .selectAll()
    .orderBy('requested_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
  if (rows.length === 0) return []
  const answers = await db
    .selectFrom('plugin_erasures')
    .selectAll()
    .where(
      'erasure_id',
      'in',
      rows.map(({ id }) => id),
    )
    .orderBy('eraser_id')
    .execute()
  return rows.map((row) => toErasure(row, answers))
}

function toErasure(
  row: RightsTables['erasures'],
  answers: readonly RightsTables['plugin_erasures'][],
): Erasure {
  return {
    id: row.id,
    state: row.state,
    customerId: row.customer_id,
    reason: row.reason,
    requestedBy: row.requested_by,
    requestedAt: row.requested_at,
    finishedAt: row.finished_at,
    removed: JSON.parse(row.removed) as Removed,
    plugins: answers
      .filter(({ erasure_id }) => erasure_id === row.id)
      .map((answer) => ({
        plugin: answer.plugin_id,
        title: JSON.parse(answer.title) as Text,
        state: answer.state,
        attempts: answer.attempts,
        error: answer.error,
        answeredAt: answer.answered_at,
        removed: Number(answer.removed),
      })),
  }
}
