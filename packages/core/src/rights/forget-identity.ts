import { sql } from 'kysely'
import { type Db, transact, type Tx } from '../db/database.ts'
import type { Person } from '../journeys/people.ts'
import { count, deleteWhere, type Removed } from './erase-rows.ts'
import type { MarkFinder } from './marks.ts'

/** Takes the customer out of what says who is who: from here on nothing reaches anybody under these names. */
export async function forgetIdentity(tx: Tx, { id, identifiers }: Person): Promise<void> {
  const ids = identifiers.map((identifier) => identifier.id)
  for (const table of ['identity_links', 'identity_decisions'] as const)
    for (const column of ['a', 'b']) await deleteWhere(tx, table, column, ids)
  await deleteWhere(tx, 'identifiers', 'id', ids)
  await deleteWhere(tx, 'profile_states', 'customer_id', [id])
  await deleteWhere(tx, 'profiles', 'customer_id', [id])
  // Nobody is told: who leaves a segment for this reason begins no journey by it.
  await deleteWhere(tx, 'profile_changes', 'customer_id', ids)
}

/** What people decided about identities names both sides, and stands on nobody's timeline. */
export async function eraseIdentityEvents(db: Db, finder: MarkFinder, removed: Removed): Promise<void> {
  if (finder.marks.length === 0) return
  const rows = await db
    .selectFrom('events')
    .select(['seq', 'body'])
    .where(sql<boolean>`type = 'identity'`)
    .execute()
  const mine = rows.filter(({ body }) => finder.isIn(body)).map(({ seq }) => seq)
  await transact(db, async (tx) => count(removed, 'events', await deleteWhere(tx, 'events', 'seq', mine)))
}
