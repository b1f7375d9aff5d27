import { sql } from 'kysely'
import type { Tx } from '../db/database.ts'
import { engineOf } from '../db/rows.ts'
import type { EventBody, EventCall } from './normalize.ts'

/** An event of the log, ready to fold. */
export interface StoredEvent {
  seq: number
  message_id: string
  source: string
  type: EventCall
  name: string | null
  ts: number
  received_at: number
  version: number
  body: EventBody
}

export const STORED_EVENT_COLUMNS = [
  'events.seq',
  'events.message_id',
  'events.source',
  'events.type',
  'events.name',
  'events.ts',
  'events.received_at',
  'events.version',
  'events.body',
] as const

/**
 * Up to `limit` events after `after`, in log order. On PostgreSQL numbers are given before the commit, so events
 * at or behind a transaction that is still open are left for the next read: a cursor never passes a gap.
 */
export async function readEvents(tx: Tx, after: number, limit: number): Promise<StoredEvent[]> {
  let query = tx.selectFrom('events').select(STORED_EVENT_COLUMNS).where('seq', '>', after).orderBy('seq').limit(limit)
  if (engineOf(tx) === 'postgres') query = query.where('tx', '<', oldestOpenTransaction)
  return (await query.execute()).map(toStoredEvent)
}

/** Transactions below this number have ended, one way or the other. */
export const oldestOpenTransaction = sql<number>`(pg_snapshot_xmin(pg_current_snapshot())::text)::bigint`

export function toStoredEvent(row: { body: string; type: string } & Omit<StoredEvent, 'body' | 'type'>): StoredEvent {
  return { ...row, type: row.type as EventCall, body: JSON.parse(row.body) as EventBody }
}
