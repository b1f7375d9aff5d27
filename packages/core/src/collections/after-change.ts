import type { CollectionChange } from '@huitou/plugin-api'
import { sql } from 'kysely'
import type { CoreContext } from '../context.ts'
import type { Tx } from '../db/database.ts'
import { transact } from '../db/database.ts'
import { engineOf } from '../db/rows.ts'

type OutboxContext = Pick<CoreContext, 'database' | 'points' | 'clock' | 'log'>

/** A plugin may take this long over one change; then it is told again. */
const DEADLINE_MS = 30_000
/** Longer than the deadline, so that no two nodes tell one change at once. */
const LEASE_MS = 60_000
const BATCH = 20
const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 3_600_000

interface Due {
  seq: number
  collection: string
  change: string
  attempts: number
}

/**
 * Tells plugins of changes of their records, at least once each and one record's in their order. A change that a
 * plugin fails at waits, longer every time, and holds up nothing but later changes of its record. Returns false
 * when nothing is due.
 */
export async function tellChanges(context: OutboxContext): Promise<boolean> {
  const collections = context.points.collections
    .list()
    .filter(({ value }) => value.hooks?.includes('afterChange'))
    .map(({ id }) => id)
  if (collections.length === 0) return false
  const now = context.clock.now()
  const due = await transact(context.database.db, (tx) => lease(tx, collections, now))
  // Nothing is open while plugins work.
  await Promise.all(due.map((each) => tell(context, each)))
  return due.length > 0
}

/** Due changes that are the first of their record, taken for this node. */
async function lease(tx: Tx, collections: readonly string[], now: number): Promise<Due[]> {
  let query = tx
    .selectFrom('collection_outbox as o')
    .select(['o.seq', 'o.collection', 'o.change', 'o.attempts'])
    .where('o.collection', 'in', collections)
    .where('o.due_at', '<=', now)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('collection_outbox as e')
            .select('e.seq')
            .whereRef('e.collection', '=', 'o.collection')
            .whereRef('e.record_id', '=', 'o.record_id')
            .whereRef('e.seq', '<', 'o.seq'),
        ),
      ),
    )
    .orderBy('o.seq')
    .limit(BATCH)
  if (engineOf(tx) === 'postgres') query = query.forUpdate().skipLocked()
  const due = await query.execute()
  if (due.length > 0) {
    await tx
      .updateTable('collection_outbox')
      .set({ due_at: now + LEASE_MS })
      .where(
        'seq',
        'in',
        due.map(({ seq }) => seq),
      )
      .execute()
  }
  return due
}

async function tell(
  { database, points, clock, log }: OutboxContext,
  { seq, collection, change, attempts }: Due,
): Promise<void> {
  const { db } = database
  const entry = points.collections.find(collection)
  try {
    const signal = AbortSignal.timeout(DEADLINE_MS)
    await Promise.race([
      entry?.value.run.afterChange?.(JSON.parse(change) as CollectionChange, { now: clock.now(), signal }),
      new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
      }),
    ])
    // Disabled meanwhile: the change waits until the plugin is back.
    if (entry && points.collections.find(collection) === entry) {
      await db.deleteFrom('collection_outbox').where('seq', '=', seq).execute()
    }
  } catch (error) {
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(attempts, 20), LONGEST_PAUSE_MS)
    const message = error instanceof Error ? error.message : String(error)
    await db
      .updateTable('collection_outbox')
      .set({ attempts: sql`attempts + 1`, due_at: clock.now() + pause, error: message.slice(0, 500) })
      .where('seq', '=', seq)
      .execute()
    log.warn(
      { collection, attempts: attempts + 1, error: message },
      'A plugin failed at a change of its records',
    )
  }
}
