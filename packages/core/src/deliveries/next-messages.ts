import type { Selectable } from 'kysely'
import type { Db, Tx } from '../db/database.ts'
import type { DeliveryRow } from './tables.ts'

export type StoredDelivery = Selectable<DeliveryRow>

/** More messages are looked at than are taken, so that the important ones come first. */
const LOOK_AHEAD = 3

/** The most important of the messages that have been due longest; only these are read whole. */
export async function readNext(
  db: Db | Tx,
  { channel, account, now, limit }: { channel: string; account: string; now: number; limit: number },
): Promise<StoredDelivery[]> {
  const longest = db
    .selectFrom('deliveries')
    .select(['id', 'priority', 'due_at'])
    .where('state', '=', 'planned')
    .where('kind', '=', 'message')
    .where('channel', '=', channel)
    .where('account', '=', account)
    .where('due_at', '<=', now)
    .orderBy('due_at')
    .limit(limit * LOOK_AHEAD)
  const next = db
    .selectFrom(longest.as('d'))
    .select('d.id')
    .orderBy('d.priority', 'desc')
    .orderBy('d.due_at')
    .orderBy('d.id')
    .limit(limit)
  const rows = await db
    .selectFrom(next.as('n'))
    .innerJoin('deliveries', 'deliveries.id', 'n.id')
    .selectAll('deliveries')
    .execute()
  return rows.toSorted((a, b) => b.priority - a.priority || a.due_at - b.due_at || a.id - b.id)
}
