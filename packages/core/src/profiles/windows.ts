import type { Tx } from '../db/database.ts'
import type { Projection } from './project.ts'
import { readStates, saveDrafts } from './store.ts'

/** Customers per transaction. */
const STEP = 1_000

/**
 * Moves windowed columns on for customers whose windows change by the passing of days. Returns whether there may
 * be more.
 */
export async function moveWindows(tx: Tx, projection: Projection): Promise<boolean> {
  const due = await tx
    .selectFrom('profile_states')
    .select('customer_id')
    .where('expires_day', '<=', projection.today)
    .limit(STEP)
    .execute()
  if (due.length === 0) return false
  const states = await readStates(
    tx,
    due.map(({ customer_id }) => customer_id),
  )
  await saveDrafts(
    tx,
    new Map([...states].map(([customer, state]) => [customer, { state, topics: new Set<string>() }])),
    projection,
  )
  return true
}
