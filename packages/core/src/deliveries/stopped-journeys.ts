import type { Tx } from '../db/database.ts'
import { JOURNEY_STOPPED } from '../journeys/stop-all.ts'
import { cancelPlanned } from '../journeys/take-out.ts'
import type { StoredDelivery } from './next-messages.ts'

/**
 * Cancels those of these deliveries whose journey everybody was taken out of, whatever put them in line again: an
 * answer that was lost, a retry, somebody who replays dead letters. Returns the others.
 */
export async function withoutStopped(
  tx: Tx,
  rows: readonly StoredDelivery[],
  now: number,
): Promise<StoredDelivery[]> {
  const ids = new Set(rows.flatMap(({ journey_id }) => (journey_id === null ? [] : [journey_id])))
  if (ids.size === 0) return [...rows]
  const stopped = await tx
    .selectFrom('journeys')
    .select(['id', 'stopped_delivery as upTo'])
    .where('id', 'in', [...ids])
    .where('stopped_delivery', 'is not', null)
    .execute()
  const isStopped = ({ id, journey_id, purpose }: StoredDelivery) =>
    purpose !== 'test' && stopped.some((journey) => journey.id === journey_id && id <= (journey.upTo ?? 0))
  await cancelPlanned(
    tx,
    rows.filter(isStopped).map(({ id }) => id),
    { reason: JOURNEY_STOPPED, now },
  )
  return rows.filter((row) => !isStopped(row))
}
