import type { Tx } from '../db/database.ts'
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

/** Up to `limit` events after `after`, in log order. Appending keeps the log without gaps: see `insertEvents`. */
export async function readEvents(tx: Tx, after: number, limit: number): Promise<StoredEvent[]> {
  const query = tx
    .selectFrom('events')
    .select(STORED_EVENT_COLUMNS)
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(limit)
  return (await query.execute()).map(toStoredEvent)
}

export function toStoredEvent(
  row: { body: string; type: string } & Omit<StoredEvent, 'body' | 'type'>,
): StoredEvent {
  return { ...row, type: row.type as EventCall, body: JSON.parse(row.body) as EventBody }
}
