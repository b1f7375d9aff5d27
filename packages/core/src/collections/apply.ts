import { type Kysely, sql } from 'kysely'
import type { Db, Tx } from '../db/database.ts'
import { type CollectionDeclaration, readDeclaration, type StoredDeclaration } from './declaration.ts'
import { type Definition, toDefinition } from './definition.ts'
import { eachRecord } from './find.ts'
import { createRecordTable, dropRecordTable, syncIndexes, tableNameOf } from './layout.ts'
import { checkCompiles } from './record-schema.ts'
import type { StoredRecord } from './record.ts'
import { changeRecordTable } from './schema-change.ts'
import type { CollectionTables } from './tables.ts'
import { type FormerRecord, removeAfter, rewriteRecord } from './write.ts'

/** What happened to the collections of a plugin, by their full ids. */
export interface CollectionsChange {
  created: string[]
  changed: string[]
  /** No longer declared; their records are kept. */
  removed: string[]
}

/**
 * Brings what is stored for a plugin to what its manifest declares: new collections get their tables, others are
 * changed in place, and those no longer declared are put aside with their records. Doing it again changes nothing.
 * Throws `E_COLLECTION_DECLARATION` and `E_COLLECTION_INCOMPATIBLE`; the transaction must then be given up.
 */
export async function applyCollections(
  tx: Tx,
  plugin: string,
  { declarations, now }: { declarations: readonly CollectionDeclaration[]; now: number },
): Promise<CollectionsChange> {
  const change: CollectionsChange = { created: [], changed: [], removed: [] }
  const present = new Map((await rowsOf(tx, plugin)).map((row) => [row.id, row]))
  for (const declared of declarations) {
    const id = `${plugin}/${declared.id}`
    const declaration = readDeclaration(plugin, declared)
    const row = present.get(id)
    present.delete(id)
    if (row?.active === 1 && row.declaration === JSON.stringify(declaration)) continue
    checkCompiles(id, declaration)
    if (row) await changeCollection(tx, row, { declaration, now })
    else await createCollection(tx, { id, plugin }, { declaration, now })
    ;(row ? change.changed : change.created).push(id)
  }
  for (const { id, active } of present.values()) {
    if (active === 0) continue
    await tx.updateTable('collections').set({ active: 0, updated_at: now }).where('id', '=', id).execute()
    change.removed.push(id)
  }
  return change
}

async function createCollection(
  tx: Tx,
  { id, plugin }: { id: string; plugin: string },
  { declaration, now }: { declaration: StoredDeclaration; now: number },
): Promise<void> {
  const table = tableNameOf(id)
  const layout = await createRecordTable(tx, table, declaration)
  await tx
    .insertInto('collections')
    .values({
      id,
      plugin,
      table_name: table,
      declaration: JSON.stringify(declaration),
      layout: JSON.stringify(layout),
      active: 1,
      revision: 1,
      updated_at: now,
    })
    .execute()
}

async function changeCollection(
  tx: Tx,
  row: CollectionTables['collections'],
  { declaration, now }: { declaration: StoredDeclaration; now: number },
): Promise<void> {
  const layout = await changeRecordTable(tx, row, declaration)
  await tx
    .updateTable('collections')
    .set({
      declaration: JSON.stringify(declaration),
      layout: JSON.stringify(layout),
      active: 1,
      revision: row.revision + 1,
      updated_at: now,
    })
    .where('id', '=', row.id)
    .execute()
}

/** What must be known to put a plugin's collections back. Small, whatever they hold; plain JSON. */
export interface CollectionsSnapshot {
  plugin: string
  /** Changes up to these were made before. */
  history: number
  outbox: number
  collections: { row: CollectionTables['collections']; records: number }[]
}

/** Notes how a plugin's collections are, before an upgrade. Costs nothing: records are put back by their history. */
export async function snapshotCollections(tx: Tx, plugin: string): Promise<CollectionsSnapshot> {
  const rows = await rowsOf(tx, plugin)
  const collections: CollectionsSnapshot['collections'] = []
  for (const row of rows) collections.push({ row, records: await lastSeq(tx, row.table_name) })
  return {
    plugin,
    history: await lastSeq(tx, 'collection_history'),
    outbox: await lastSeq(tx, 'collection_outbox'),
    collections,
  }
}

/**
 * Puts a plugin's collections back as the snapshot found them, declarations and records: what was added since is
 * gone, what was changed or deleted is as it was. Works until the history that the snapshot needs is a day old.
 */
export async function restoreCollections(
  tx: Tx,
  { plugin, history, outbox, collections }: CollectionsSnapshot,
  { now }: { now: number },
): Promise<void> {
  const db = tx as unknown as Kysely<any>
  const kept = new Map(collections.map((each) => [each.row.id, each]))
  for (const row of await rowsOf(tx, plugin)) {
    const before = kept.get(row.id)
    if (!before) {
      await eraseCollection(tx, row)
      continue
    }
    // Columns that the later version added stay as retired ones; those it retired are in use again.
    const present = toDefinition(row).layout
    const old = toDefinition(before.row)
    const columns = old.layout.columns
    const known = new Set([...columns, ...old.layout.retired].map(({ column }) => column))
    const added = [...present.columns, ...present.retired].filter(({ column }) => !known.has(column))
    const layout = { ...old.layout, retired: [...old.layout.retired, ...added] }
    layout.indexes = await syncIndexes(db, row.table_name, {
      declaration: old.declaration,
      layout: { ...layout, indexes: present.indexes },
    })
    const restored = {
      ...before.row,
      layout: JSON.stringify(layout),
      revision: row.revision + 1,
      updated_at: now,
    }
    await tx.updateTable('collections').set(restored).where('id', '=', row.id).execute()
    await tx
      .deleteFrom('collection_outbox')
      .where('collection', '=', row.id)
      .where('seq', '>', outbox)
      .execute()
    await restoreRecords(tx, toDefinition(restored), { history, records: before.records })
  }
}

async function restoreRecords(
  tx: Tx,
  definition: Definition,
  { history, records }: { history: number; records: number },
): Promise<void> {
  const changed = await tx
    .selectFrom('collection_history')
    .select(['record_id', 'record_seq', 'before'])
    .where('collection', '=', definition.id)
    .where('seq', '>', history)
    .orderBy('seq')
    .execute()
  await removeAfter(tx, definition, records)
  const done = new Set<string>()
  for (const { record_id: id, record_seq: seq, before } of changed) {
    // The first change since tells how it was; what was not there before stays away.
    if (done.has(id)) continue
    done.add(id)
    if (seq <= records) await rewriteRecord(tx, definition, JSON.parse(before) as FormerRecord)
  }
  await tx
    .deleteFrom('collection_history')
    .where('collection', '=', definition.id)
    .where('seq', '>', history)
    .execute()
}

/** How much a plugin keeps in each of its collections, those put aside included. */
export async function countCollections(
  db: Db | Tx,
  plugin: string,
): Promise<{ id: string; records: number; active: boolean }[]> {
  const counts = []
  for (const { id, table_name: table, active } of await rowsOf(db, plugin)) {
    const { rows } = await sql<{ count: number }>`select count(*) as count from ${sql.table(table)}`.execute(
      db,
    )
    counts.push({ id, records: Number(rows[0]?.count ?? 0), active: active === 1 })
  }
  return counts
}

/** Takes a plugin's collections out with everything in them, history and all. */
export async function eraseCollections(tx: Tx, plugin: string): Promise<void> {
  for (const row of await rowsOf(tx, plugin)) await eraseCollection(tx, row)
}

/** Every record of a plugin's collections, page by page, for a file to keep. */
export async function* exportCollections(
  db: Db,
  plugin: string,
): AsyncGenerator<{ collection: string; records: StoredRecord[] }> {
  for (const row of await rowsOf(db, plugin)) {
    for await (const records of eachRecord(db as unknown as Kysely<any>, toDefinition(row), {}))
      yield { collection: row.id, records }
  }
}

async function eraseCollection(
  tx: Tx,
  { id, table_name: table }: CollectionTables['collections'],
): Promise<void> {
  await dropRecordTable(tx, table)
  await tx.deleteFrom('collection_history').where('collection', '=', id).execute()
  await tx.deleteFrom('collection_outbox').where('collection', '=', id).execute()
  await tx.deleteFrom('collections').where('id', '=', id).execute()
}

async function rowsOf(db: Db | Tx, plugin: string): Promise<CollectionTables['collections'][]> {
  return await db.selectFrom('collections').selectAll().where('plugin', '=', plugin).orderBy('id').execute()
}

/** Number of the youngest row that a table holds. */
async function lastSeq(tx: Tx, table: string): Promise<number> {
  const { rows } = await sql<{
    last: number | null
  }>`select max(seq) as last from ${sql.table(table)}`.execute(tx)
  return Number(rows[0]?.last ?? 0)
}
