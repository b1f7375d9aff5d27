import { type Kysely, sql } from 'kysely'
import type { Tx } from '../db/database.ts'
import { engineOf } from '../db/rows.ts'
import { tableNameOf } from './layout.ts'
import { searchTable } from './search-index.ts'

/**
 * Makes the collections that `from` left behind those of `to`, with all records and their history. What `to` declares
 * differently is changed when its declarations are applied; what it does not declare is kept aside.
 */
export async function adoptCollections(tx: Tx, from: string, to: string, now: number): Promise<void> {
  const rows = await tx.selectFrom('collections').selectAll().where('plugin', '=', from).execute()
  for (const row of rows) {
    const id = `${to}${row.id.slice(from.length)}`
    const table = tableNameOf(id)
    await renameTable(tx as unknown as Kysely<any>, row.table_name, table)
    await tx
      .updateTable('collections')
      .set({ id, plugin: to, table_name: table, revision: row.revision + 1, updated_at: now })
      .where('id', '=', row.id)
      .execute()
    for (const log of ['collection_history', 'collection_outbox'] as const)
      await tx.updateTable(log).set({ collection: id }).where('collection', '=', row.id).execute()
  }
}

async function renameTable(db: Kysely<any>, from: string, to: string): Promise<void> {
  await sql`alter table ${sql.table(from)} rename to ${sql.table(to)}`.execute(db)
  const [old, young] = [searchTable(from), searchTable(to)]
  if (engineOf(db) === 'postgres')
    await sql`alter index ${sql.ref(old)} rename to ${sql.ref(young)}`.execute(db)
  else await sql`alter table ${sql.table(old)} rename to ${sql.table(young)}`.execute(db)
}
