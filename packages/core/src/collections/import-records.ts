import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type FieldProblem, notFound, userError } from '@huitou/plugin-api'
import { type Kysely, sql } from 'kysely'
import { v7 as uuid } from 'uuid'
import type { CoreContext } from '../context.ts'
import { transact } from '../db/database.ts'
import { normalizeIdentifier } from '../identity/identifiers.ts'
import { lookupsOf } from '../people/identifier-lookup.ts'
import type { Job, JobContext } from '../jobs/jobs.ts'
import { checkDrafts } from './check-record.ts'
import type { Collections } from './collections.ts'
import type { Definition } from './definition.ts'
import { type ImportFormat, type ImportRow, readRows } from './import-rows.ts'
import { cellFormat } from './record-cells.ts'
import type { Author, StoredRecord } from './record.ts'
import { recordColumns, type RecordRow, toRecord } from './record.ts'
import { insertChecked, newRecord, updateRecord } from './write.ts'

export interface ImportContext extends Pick<CoreContext, 'database' | 'clock' | 'points' | 'jobs' | 'brand'> {
  collections: Collections
  dataDir: string
}

export interface ImportOrder {
  collection: string
  /** Name of the uploaded file in its folder. */
  upload: string
  format: ImportFormat
  /** Only counts and says what is wrong. */
  dryRun: boolean
  by: Author
  locale: string
}

export interface ImportResult {
  rows: number
  inserted: number
  updated: number
  /** Rows that do not fit and are left out. */
  refused: number
  problems: { row: number; problems: FieldProblem[] }[]
  ignoredColumns: string[]
  dryRun: boolean
  upload: string
}

const IMPORT = 'collection.import'
const BATCH = 500
const SHOWN_PROBLEMS = 100
export const UPLOAD_BYTES = 512 * 1_048_576

/** Keeps an uploaded file until it has been imported. Returns what it is called. */
export async function receiveRecordFile(dataDir: string, body: ReadableStream<Uint8Array>): Promise<string> {
  const upload = uuid()
  const file = fileOf(dataDir, upload)
  await mkdir(path.dirname(file), { recursive: true })
  let size = 0
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      size += chunk.length
      if (size > UPLOAD_BYTES)
        throw userError('E_FILE_TOO_LARGE', `A file may hold ${UPLOAD_BYTES / 1_048_576} MB`, { status: 413 })
      yield chunk
    }
  }
  try {
    await pipeline(Readable.from(counted(), { objectMode: false }), createWriteStream(file, { mode: 0o600 }))
  } catch (error) {
    await rm(file, { force: true })
    throw error
  }
  return upload
}

/** Puts an import in line; its result is the job's. */
export async function startRecordImport(
  { jobs }: ImportContext,
  definition: Definition,
  order: ImportOrder,
): Promise<Job> {
  if (!/^[0-9a-f-]{36}$/.test(order.upload)) throw notFound('Upload', order.upload)
  return await jobs.enqueue({
    kind: IMPORT,
    title: JSON.stringify(definition.declaration.title),
    payload: { ...order },
    key: `${IMPORT} ${order.upload}`,
    here: true,
  })
}

export function defineRecordImport(context: ImportContext): void {
  context.jobs.define(IMPORT, async (job) => ({ ...(await importRecords(context, job)) }))
}

async function importRecords(
  context: ImportContext,
  { job, signal, progress }: JobContext,
): Promise<ImportResult> {
  const order = job.payload as unknown as ImportOrder
  const definition = await context.collections.definition(order.collection)
  const file = fileOf(context.dataDir, order.upload)
  const cells = cellFormat(await context.brand(), order.locale.startsWith('en') ? 'en' : 'zh-CN')
  const source = await readRows(file, { definition, format: order.format, cells })
  const result: ImportResult = {
    rows: 0,
    inserted: 0,
    updated: 0,
    refused: 0,
    problems: [],
    ignoredColumns: source.ignored,
    dryRun: order.dryRun,
    upload: order.upload,
  }
  let batch: ImportRow[] = []
  const flush = async () => {
    await importBatch(context, definition, { batch, order, result })
    batch = []
    progress({ done: result.rows, total: null, unit: 'rows' })
    if (!order.dryRun) context.collections.changed(definition.id)
    await new Promise<void>((resolve) => void setImmediate(resolve))
  }
  for await (const row of source.rows) {
    if (signal.aborted) return result
    batch.push(row)
    if (batch.length >= BATCH) await flush()
  }
  if (batch.length > 0) await flush()
  if (!order.dryRun) await rm(file, { force: true })
  return result
}

type Batch = { batch: ImportRow[]; order: ImportOrder; result: ImportResult }

async function importBatch(
  context: ImportContext,
  definition: Definition,
  { batch, order, result }: Batch,
): Promise<void> {
  await findCustomers(context, definition, batch)
  const ids = batch.map(({ id, row }) => id ?? rowId(order.upload, row))
  const present = await presentRecords(context, definition, ids)
  const drafts = batch.map(({ data, fault }, at) => {
    const previous = present.get(ids[at] as string)
    return {
      data: fault ? {} : previous ? { ...previous.data, ...data } : data,
      ...(previous ? { previous } : {}),
    }
  })
  const checked = await checkDrafts(context, definition, drafts, { locale: order.locale })
  const now = context.clock.now()
  const fresh = new Map<string, StoredRecord>()
  for (const [at, { row, id, fault }] of batch.entries()) {
    const { data, problems } = checked[at] as (typeof checked)[number]
    const key = ids[at] as string
    const found = present.get(key)
    result.rows++
    if (fault || problems.length > 0) {
      result.refused++
      const all = fault ? [{ field: '', message: fault }] : problems
      if (result.problems.length < SHOWN_PROBLEMS) result.problems.push({ row, problems: all.slice(0, 10) })
    } else if (!found && !fresh.has(key)) {
      result.inserted++
      fresh.set(key, { ...newRecord(data, { now, by: order.by }), id: key })
    } else if (found && id === undefined) {
      // Written before the job was interrupted.
      result.inserted++
    } else {
      result.updated++
      if (!order.dryRun && found)
        await updateRecord(context, definition, key, { data, by: order.by, locale: order.locale })
    }
  }
  if (!order.dryRun)
    await transact(context.database.db, (tx) => insertChecked(tx, definition, [...fresh.values()]))
}

async function presentRecords(
  { database }: ImportContext,
  definition: Definition,
  ids: readonly string[],
): Promise<Map<string, StoredRecord>> {
  const rows = (await (database.db as unknown as Kysely<any>)
    .selectFrom(definition.table)
    .select(recordColumns(definition, definition.fields))
    .where(`${definition.table}.id`, 'in', [...new Set(ids)])
    .execute()) as RecordRow[]
  return new Map(rows.map((row) => [row.id, toRecord(row, definition.fields)]))
}

/** Files name customers by what they know: our own id, a phone, an e-mail, a shop's id. */
async function findCustomers(
  { database }: ImportContext,
  { fields }: Definition,
  batch: readonly ImportRow[],
): Promise<void> {
  for (const { name } of fields.filter(({ kind }) => kind === 'customer')) {
    const texts = batch.map(({ data }) => data[name]).filter((value) => typeof value === 'string')
    if (texts.length === 0) continue
    const spellings = new Map(
      texts.flatMap((text) =>
        [text, normalizeIdentifier('phone', text), normalizeIdentifier('email', text)]
          .filter((value) => value !== undefined)
          .map((spelling) => [spelling, text] as const),
      ),
    )
    const lookups = [...spellings.keys()].flatMap((spelling) => lookupsOf(database.vault, spelling))
    const { rows } = await sql<{
      value: string
      id: number
    }>`select value, customer_id as id from identifiers where coalesce(lookup, value) in (${sql.join(lookups)})`.execute(
      database.db,
    )
    const found = new Map(rows.map(({ value, id }) => [spellings.get(value), id]))
    for (const row of batch) {
      const text = row.data[name]
      if (typeof text !== 'string') continue
      // Our own export writes our own ids; phones are longer.
      row.data[name] = /^\d{1,10}$/.test(text) ? Number(text) : (found.get(text) ?? text)
    }
  }
}

/** The same row of the same file is the same record, so that an import that was interrupted adds nothing twice. */
function rowId(upload: string, row: number): string {
  const hex = createHash('sha256').update(`${upload} ${row}`).digest('hex')
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `a${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-')
}

/** Folder of files whose records are being imported. */
export function recordUploads(dataDir: string): string {
  return path.join(dataDir, 'record-imports')
}

function fileOf(dataDir: string, upload: string): string {
  return path.join(recordUploads(dataDir), upload)
}
