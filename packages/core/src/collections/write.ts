import { type CollectionChange, notFound, userError } from '@huitou/plugin-api'
import { CompiledQuery, type Kysely, sql } from 'kysely'
import { v7 as uuid } from 'uuid'
import type { CoreContext } from '../context.ts'
import { transact, type Tx } from '../db/database.ts'
import { engineOf } from '../db/rows.ts'
import { vaultOf } from '../db/sealing.ts'
import type { Vault } from '../people/vault.ts'
import { checkDraft } from './check-record.ts'
import type { CollectionField, Definition } from './definition.ts'
import type { RecordData } from './record-schema.ts'
import {
  type Author,
  findRow,
  type StoredRecord,
  type RecordRow,
  recordColumns,
  toColumn,
  toRecord,
} from './record.ts'
import { sealField } from './sealed-fields.ts'
import { searchTable, searchTerms } from './search-index.ts'

export type WriteContext = Pick<CoreContext, 'database' | 'points' | 'clock'>

export interface WriteOptions {
  by: Author
  locale?: string | undefined
}

export interface ChangeOptions extends WriteOptions {
  /** Version that the change was made on; `E_CONFLICT` when there is a later one. */
  version?: number | undefined
}

/** PostgreSQL takes 65,535 parameters a statement. */
const PARAMETERS = 30_000
/** How often a change without a version is tried again when somebody else was faster. */
const TURNS = 4
/** What a record was before is kept for this many changes, and for a day in any case: an upgrade may be taken back. */
const HISTORY = 50
const HISTORY_MS = 86_400_000

/** Adds one record. Throws `E_RECORD` when it does not fit. */
export async function insertRecord(
  context: WriteContext,
  definition: Definition,
  data: RecordData,
  options: WriteOptions,
): Promise<StoredRecord> {
  const checked = await checkDraft(context, definition, { data }, options)
  const made = newRecord(checked, { now: context.clock.now(), by: options.by })
  await transact(context.database.db, (tx) => insertChecked(tx, definition, [made]))
  return made
}

/** A record that is new now. */
export function newRecord(data: RecordData, { now, by }: { now: number; by: Author }): StoredRecord {
  return { id: uuid(), data, version: 1, createdAt: now, createdBy: by, updatedAt: now, updatedBy: by }
}

/** Writes records that were checked, in one transaction with whatever else `tx` does. */
export async function insertChecked(
  tx: Tx,
  definition: Definition,
  records: readonly StoredRecord[],
): Promise<void> {
  await insertQuietly(tx, definition, records)
  await tellPlugin(
    tx,
    definition,
    records.map((record) => ({ kind: 'insert', record })),
  )
}

/** Puts records into their table and its search index, and tells nobody. */
async function insertQuietly(
  tx: Tx,
  definition: Definition,
  records: readonly StoredRecord[],
): Promise<void> {
  const rows = records.map((record) => ({
    record,
    values: sealedColumns(tx, definition, toRow(definition, record)),
  }))
  if (engineOf(tx) === 'sqlite') await insertOnSqlite(tx, definition, rows)
  else await insertOnPostgres(tx, definition, rows)
}

/** A record as it was, and its row column by column: what a later version knows nothing of included. */
export interface FormerRecord extends StoredRecord {
  columns: Record<string, unknown>
}

/**
 * Puts a record back as it was, as if nothing had happened to it since; for an upgrade that is taken back, which
 * keeps no history of it and tells nobody.
 */
export async function rewriteRecord(
  tx: Tx,
  definition: Definition,
  { id, columns }: FormerRecord,
): Promise<void> {
  const db = tableOf(tx)
  const present = await findRow(tx, definition, id)
  const stored = sealedColumns(tx, definition, columns)
  if (present) await db.updateTable(definition.table).set(stored).where('id', '=', id).execute()
  else await db.insertInto(definition.table).values(stored).execute()
  const row = await findRow(tx, definition, id)
  if (row) await reindexRecords(tx, definition, [Number(row.seq)])
}

/** Makes the words anew by which records are found. */
export async function reindexRecords(
  tx: Tx,
  definition: Definition,
  numbers: readonly number[],
): Promise<void> {
  const rows = (await tableOf(tx)
    .selectFrom(definition.table)
    .select(recordColumns(definition, definition.fields))
    .where('seq', 'in', numbers)
    .execute()) as RecordRow[]
  for (const row of rows) {
    const terms = termsOf(definition, toRecord(row, definition.fields), vaultOf(tx))
    if (engineOf(tx) === 'postgres') {
      await tableOf(tx)
        .updateTable(definition.table)
        .set({ search: vector(terms) })
        .where('id', '=', row.id)
        .execute()
      continue
    }
    await removeFromSearch(tx, definition, Number(row.seq))
    await addToSearch(tx, definition, Number(row.seq), terms)
  }
}

/** A record's row as it stands, apart from its number and its search terms. */
async function columnsOf(tx: Tx, { table }: Definition, id: string): Promise<Record<string, unknown>> {
  const row = await tableOf(tx).selectFrom(table).selectAll().where('id', '=', id).executeTakeFirst()
  const { seq: _, search: __, ...columns } = (row ?? {}) as Record<string, unknown>
  return columns
}

/** Takes out what was added after the record number `seq`, without a trace. */
export async function removeAfter(tx: Tx, definition: Definition, seq: number): Promise<void> {
  if (engineOf(tx) === 'sqlite')
    await sql`delete from ${sql.table(searchTable(definition.table))} where rowid > ${seq}`.execute(tx)
  await tableOf(tx).deleteFrom(definition.table).where('seq', '>', seq).execute()
}

/**
 * Changes the fields given, or with `replace` all of them; null takes a value out. A change that changes nothing
 * leaves the record at its version.
 */
export async function updateRecord(
  context: WriteContext,
  definition: Definition,
  id: string,
  { data, replace = false, ...options }: { data: RecordData; replace?: boolean } & ChangeOptions,
): Promise<StoredRecord> {
  const { db } = context.database
  for (let turn = 0; turn < TURNS; turn++) {
    const row = await findRow(db, definition, id)
    if (!row) throw notFound(`Record of "${definition.id}"`, id)
    const previous = toRecord(row, definition.fields)
    if (options.version !== undefined && options.version !== previous.version)
      throw conflict(definition, previous)
    const wanted = replace ? data : { ...previous.data, ...data }
    const checked = await checkDraft(context, definition, { data: wanted, previous }, options)
    const changed = definition.fields.filter(({ name }) => !isSame(previous.data[name], checked[name]))
    if (changed.length === 0) return previous
    const record: StoredRecord = {
      ...previous,
      data: checked,
      version: previous.version + 1,
      updatedAt: context.clock.now(),
      updatedBy: options.by,
    }
    const written = await transact(db, (tx) =>
      writeChange(tx, definition, { record, previous, changed, seq: Number(row.seq) }),
    )
    if (written) return record
  }
  const row = await findRow(db, definition, id)
  if (!row) throw notFound(`Record of "${definition.id}"`, id)
  throw conflict(definition, toRecord(row, definition.fields))
}

/** Takes records out, in one transaction; those that are gone already are not counted. */
export async function deleteRecords(
  context: WriteContext,
  definition: Definition,
  ids: readonly string[],
  { by, version }: ChangeOptions,
): Promise<StoredRecord[]> {
  const now = context.clock.now()
  return await transact(context.database.db, async (tx) => {
    const deleted: StoredRecord[] = []
    for (const id of ids) {
      const row = await findRow(tx, definition, id)
      if (!row) continue
      const previous = toRecord(row, definition.fields)
      if (version !== undefined && version !== previous.version) throw conflict(definition, previous)
      const columns = await columnsOf(tx, definition, id)
      const { numDeletedRows } = await tableOf(tx)
        .deleteFrom(definition.table)
        .where('id', '=', id)
        .where('version', '=', previous.version)
        .executeTakeFirst()
      // Somebody changed it between the two statements, which happens on PostgreSQL only: it is a later version now.
      if (Number(numDeletedRows) === 0) throw conflict(definition, previous)
      await removeFromSearch(tx, definition, Number(row.seq))
      await remember(
        tx,
        definition,
        { ...previous, columns },
        { kind: 'delete', at: now, by, seq: Number(row.seq) },
      )
      deleted.push(previous)
    }
    await tellPlugin(
      tx,
      definition,
      deleted.map((previous) => ({ kind: 'delete', previous })),
    )
    return deleted
  })
}

/** Brings deleted records back as they were. Those that were never deleted, or are back, are left alone. */
export async function undeleteRecords(
  context: WriteContext,
  definition: Definition,
  ids: readonly string[],
  { by }: WriteOptions,
): Promise<StoredRecord[]> {
  const now = context.clock.now()
  return await transact(context.database.db, async (tx) => {
    const back: StoredRecord[] = []
    for (const id of ids) {
      const last = await tx
        .selectFrom('collection_history')
        .selectAll()
        .where('collection', '=', definition.id)
        .where('record_id', '=', id)
        .orderBy('seq', 'desc')
        .executeTakeFirst()
      if (last?.kind !== 'delete' || (await findRow(tx, definition, id))) continue
      const before = JSON.parse(last.before) as StoredRecord
      const data = Object.fromEntries(
        Object.entries(before.data).filter(([name]) => definition.byName.has(name)),
      )
      back.push({ ...before, data, version: before.version + 1, updatedAt: now, updatedBy: by })
    }
    await insertChecked(tx, definition, back)
    return back
  })
}

interface Change {
  record: StoredRecord
  previous: StoredRecord
  changed: readonly CollectionField[]
  seq: number
}

/** Returns false when the record is no longer at the version it was changed from. */
async function writeChange(
  tx: Tx,
  definition: Definition,
  { record, previous, changed, seq }: Change,
): Promise<boolean> {
  const terms = changed.some(({ name }) => definition.declaration.searchable.includes(name))
    ? termsOf(definition, record, vaultOf(tx))
    : undefined
  const isPostgres = engineOf(tx) === 'postgres'
  const columns = await columnsOf(tx, definition, record.id)
  const { numUpdatedRows } = await tableOf(tx)
    .updateTable(definition.table)
    // A customer that was not changed stays under the id it was written with: it may be separated again.
    .set(
      sealedColumns(
        tx,
        definition,
        Object.fromEntries(changed.map((field) => [field.column, toColumn(field, record.data[field.name])])),
      ),
    )
    .set({ version: record.version, updated_at: record.updatedAt, updated_by: record.updatedBy })
    .$if(isPostgres && terms !== undefined, (query) => query.set({ search: vector(terms ?? []) }))
    .where('id', '=', record.id)
    .where('version', '=', previous.version)
    .executeTakeFirst()
  if (Number(numUpdatedRows) === 0) return false
  if (!isPostgres && terms) {
    await removeFromSearch(tx, definition, seq)
    await addToSearch(tx, definition, seq, terms)
  }
  await remember(
    tx,
    definition,
    { ...previous, columns },
    { kind: 'update', at: record.updatedAt, by: record.updatedBy, seq },
  )
  await tellPlugin(tx, definition, [{ kind: 'update', record, previous }])
  return true
}

type Row = { record: StoredRecord; values: Record<string, unknown> }

async function insertOnSqlite(tx: Tx, definition: Definition, rows: readonly Row[]): Promise<void> {
  const names = Object.keys(rows[0]?.values ?? {})
  const list = sql.join(names.map((name) => sql.ref(name)))
  const places = sql.raw(names.map(() => '?').join(', '))
  const statement =
    sql`insert into ${sql.table(definition.table)} (${list}) values (${places}) returning seq`.compile(tx).sql
  for (const { record, values } of rows) {
    const { rows: made } = await tx.executeQuery<{ seq: number }>(
      CompiledQuery.raw(
        statement,
        names.map((name) => values[name]),
      ),
    )
    await addToSearch(tx, definition, Number(made[0]?.seq), termsOf(definition, record, vaultOf(tx)))
  }
}

async function insertOnPostgres(tx: Tx, definition: Definition, rows: readonly Row[]): Promise<void> {
  const step = Math.max(1, Math.floor(PARAMETERS / (definition.fields.length + 8)))
  for (let at = 0; at < rows.length; at += step) {
    const values = rows
      .slice(at, at + step)
      .map((row) => ({ ...row.values, search: vector(termsOf(definition, row.record, vaultOf(tx))) }))
    await tableOf(tx).insertInto(definition.table).values(values).execute()
  }
}

function toRow({ fields }: Definition, record: StoredRecord): Record<string, unknown> {
  return {
    id: record.id,
    version: record.version,
    created_at: record.createdAt,
    created_by: record.createdBy,
    updated_at: record.updatedAt,
    updated_by: record.updatedBy,
    ...Object.fromEntries(fields.map((field) => [field.column, toColumn(field, record.data[field.name])])),
  }
}

/** Columns of a record's row, with what is personal in them sealed. */
export function sealedColumns(
  tx: Tx,
  { fields }: Definition,
  columns: Record<string, unknown>,
): Record<string, unknown> {
  const vault = vaultOf(tx)
  if (!vault.isOpen) return columns
  const sealed = { ...columns }
  for (const field of fields)
    if (field.column in sealed) sealed[field.column] = sealField(vault, field, sealed[field.column])
  return sealed
}

/** Record tables are made while running, so that no type knows them. */
function tableOf(tx: Tx): Kysely<any> {
  return tx as unknown as Kysely<any>
}

/** Words of the searchable fields. What is sealed in the row does not stand in the index either: only digests of it. */
export function termsOf(
  { declaration }: Pick<Definition, 'declaration'>,
  { data }: Pick<StoredRecord, 'data'>,
  vault: Vault,
): string[] {
  const readable: string[] = []
  const sealed: string[] = []
  for (const name of declaration.searchable) {
    const value = data[name]
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each === undefined) continue
      const text = String(each)
      const isSealed = vault.isOpen && (vault.personal.isPersonalName(name) || vault.seals(text))
      ;(isSealed ? sealed : readable).push(text)
    }
  }
  return [...searchTerms(readable), ...sealed.flatMap((text) => vault.wordsOf(text))]
}

export async function addToSearch(
  tx: Tx,
  { table }: Pick<Definition, 'table'>,
  seq: number,
  terms: string[],
): Promise<void> {
  if (terms.length === 0) return
  await sql`insert into ${sql.table(searchTable(table))} (rowid, terms) values (${seq}, ${terms.join(' ')})`.execute(
    tx,
  )
}

async function removeFromSearch(tx: Tx, { table }: Definition, seq: number): Promise<void> {
  if (engineOf(tx) === 'postgres') return
  await sql`delete from ${sql.table(searchTable(table))} where rowid = ${seq}`.execute(tx)
}

export function vector(terms: readonly string[]) {
  return sql`array_to_tsvector(${terms}::text[])`
}

async function remember(
  tx: Tx,
  { id }: Definition,
  previous: FormerRecord,
  { kind, at, by, seq }: { kind: 'update' | 'delete'; at: number; by: Author; seq: number },
): Promise<void> {
  const { version } = previous
  await tx
    .insertInto('collection_history')
    .values({
      collection: id,
      record_id: previous.id,
      record_seq: seq,
      kind,
      version,
      at,
      by,
      before: JSON.stringify(previous),
    })
    .execute()
  if (version <= HISTORY || version % 10 !== 0) return
  await tx
    .deleteFrom('collection_history')
    .where('collection', '=', id)
    .where('record_id', '=', previous.id)
    .where('version', '<=', version - HISTORY)
    .where('at', '<', at - HISTORY_MS)
    .execute()
}

/** Puts changes in line for the plugin's `afterChange`, in the transaction that makes them. */
async function tellPlugin(
  tx: Tx,
  { id, declaration }: Definition,
  changes: readonly CollectionChange[],
): Promise<void> {
  if (!declaration.hooks.includes('afterChange')) return
  for (let at = 0; at < changes.length; at += 1_000) {
    await tx
      .insertInto('collection_outbox')
      .values(
        changes.slice(at, at + 1_000).map((change) => ({
          collection: id,
          record_id: (change.record ?? change.previous)?.id ?? '',
          kind: change.kind,
          change: JSON.stringify(change),
          attempts: 0,
          due_at: 0,
          error: null,
        })),
      )
      .execute()
  }
}

function conflict({ id }: Definition, record: StoredRecord) {
  return userError('E_CONFLICT', `Somebody changed this record of "${id}" meanwhile`, {
    status: 409,
    details: { collection: id, id: record.id, version: record.version, record },
    hint: 'Look at the record as it is now and make your change again.',
  })
}

function isSame(a: unknown, b: unknown): boolean {
  return (
    a === b || (typeof a === 'object' && typeof b === 'object' && JSON.stringify(a) === JSON.stringify(b))
  )
}
