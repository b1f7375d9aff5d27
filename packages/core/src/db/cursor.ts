import type { Tx } from './database.ts'
import { engineOf } from './rows.ts'

export interface CursorTables {
  cursors: { name: string; position: number; details: string | null }
}

/**
 * Position up to which stage `name` has read, 0 at first. On PostgreSQL the row stays locked until the
 * transaction ends, so that of several nodes one advances at a time.
 */
export async function readCursor(tx: Tx, name: string): Promise<number> {
  let query = tx.selectFrom('cursors').select('position').where('name', '=', name)
  if (engineOf(tx) === 'postgres') query = query.forUpdate()
  const known = await query.executeTakeFirst()
  if (known) return known.position
  await tx
    .insertInto('cursors')
    .values({ name, position: 0, details: null })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute()
  return (await query.executeTakeFirstOrThrow()).position
}

/** Moves the cursor; in the same transaction as what the stage wrote. */
export async function writeCursor(tx: Tx, name: string, position: number): Promise<void> {
  await tx.updateTable('cursors').set({ position }).where('name', '=', name).execute()
}
