import { rm, readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import type { CoreContext } from '../context.ts'
import { type Db, transact, type Tx } from '../db/database.ts'
import type { DeliveryState } from '../deliveries/tables.ts'
import { takeTurn } from '../events/append.ts'
import type { Job, JobContext } from '../jobs/jobs.ts'
import type { Schedules } from '../nodes/schedules.ts'
import { recordUploads } from '../collections/import-records.ts'
import { sweepImports } from '../imports/sweep.ts'
import { findSetting, writeSetting } from '../settings/brand.ts'
import { deleteWhere } from './erase-rows.ts'
import type { Erasures } from './erasures.ts'

const KIND = 'retention'
const SETTING = 'retention'
/** Rows in one transaction, and the pause after it: whatever comes in goes first. */
const STEP = 500
const REST_MS = 20
/** Customers erased in one night; the others wait for the next. */
const NIGHTLY_ERASURES = 500
/** Files that were made to be fetched are not kept longer, whatever else is. */
const FILE_DAYS = 30
/** Uploads that hold people's data are not kept for longer than somebody works with them. */
const UPLOAD_DAYS = 3
const DAY_MS = 86_400_000

/** Kinds of data, each with a time after which it goes. */
const RETAINED = ['events', 'content', 'records', 'logs', 'exports', 'inactive'] as const
type Retained = (typeof RETAINED)[number]
/** Months that data is kept; null for good. */
export type RetentionRules = Record<Retained, number | null>

const DEFAULT_RULES: RetentionRules = {
  events: null,
  content: null,
  // Deleted is to mean deleted, once nobody will want it back.
  records: 12,
  logs: 12,
  exports: null,
  inactive: null,
}

/** Messages that nothing is to be done about any more. */
const ENDED: DeliveryState[] = [
  'sent',
  'delivered',
  'read',
  'clicked',
  'replied',
  'bounced',
  'complained',
  'failed',
  'refused',
  'dead',
  'done',
  'cancelled',
]

type Context = CoreContext & { schedules: Schedules; dataDir: string; erasures: Erasures }

/** Lets go of what has been kept long enough, at night and a little at a time. */
export class Retention {
  readonly #context: Context

  constructor(context: Context) {
    this.#context = context
    context.jobs.define(KIND, (job) => this.#run(job))
    context.schedules.define({ name: KIND, cron: '40 2 * * *', run: async () => void (await this.start()) })
  }

  async rules(): Promise<RetentionRules> {
    const stored = (await findSetting(this.#context.database.db, SETTING)) as
      | Partial<RetentionRules>
      | undefined
    return { ...DEFAULT_RULES, ...stored }
  }

  async write(rules: RetentionRules): Promise<void> {
    await writeSetting(this.#context.database.db, SETTING, rules)
  }

  /** What would go under these rules if the night came now. */
  async preview(rules: RetentionRules): Promise<Record<Retained, number>> {
    const { database, clock } = this.#context
    const counts = {} as Record<Retained, number>
    for (const kind of RETAINED) {
      const months = rules[kind]
      counts[kind] =
        months === null ? 0 : await countOld(database.analytics, kind, cutoff(clock.now(), months))
    }
    return counts
  }

  start(): Promise<Job> {
    const title = JSON.stringify({ en: 'Retention of data', 'zh-CN': '数据保留期限清理' })
    return this.#context.jobs.enqueue({ kind: KIND, key: KIND, title })
  }

  async #run({ signal, progress }: JobContext): Promise<Record<string, number>> {
    const { database, clock, dataDir, erasures } = this.#context
    await erasures.lookAgain()
    await sweepImports({ database, clock, dataDir })
    const rules = await this.rules()
    const removed: Record<string, number> = { files: await removeOldFiles(dataDir, clock.now()) }
    for (const kind of RETAINED) {
      const months = rules[kind]
      if (months === null) continue
      const before = cutoff(clock.now(), months)
      removed[kind] = 0
      for (;;) {
        if (signal.aborted) return removed
        progress({ done: Object.values(removed).reduce((a, b) => a + b, 0), total: null, unit: 'rows' })
        const step =
          kind === 'inactive'
            ? await this.#eraseInactive(before, NIGHTLY_ERASURES - removed[kind])
            : await removeOld(database.db, kind, before)
        removed[kind] += step.removed
        if (step.isEnd) break
        await sleep(REST_MS)
      }
    }
    return removed
  }

  async #eraseInactive(before: number, room: number): Promise<{ removed: number; isEnd: boolean }> {
    const { database, erasures } = this.#context
    const rows = await database.db
      .selectFrom('profiles')
      .select('customer_id')
      .where('last_seen_at', '<', before)
      .orderBy('customer_id')
      .limit(Math.min(20, Math.max(room, 0)))
      .execute()
    for (const { customer_id } of rows)
      await erasures.request(customer_id, { reason: 'retention', by: 'retention' })
    return { removed: rows.length, isEnd: rows.length === 0 }
  }
}

/** The same day, so many calendar months ago; a month has 30.44 days. */
function cutoff(now: number, months: number): number {
  return now - Math.round(months * 30.44 * DAY_MS)
}

async function countOld(db: Db, kind: Retained, before: number): Promise<number> {
  const count = sql<number>`count(*)`.as('count')
  const old = {
    events: () => db.selectFrom('timeline').select(count).where('ts', '<', before),
    content: () =>
      db
        .selectFrom('deliveries')
        .select(count)
        .where('state', 'in', ENDED)
        .where('updated_at', '<', before)
        .where(hasContent()),
    records: () => db.selectFrom('collection_history').select(count).where('at', '<', before),
    logs: () => db.selectFrom('jobs').select(count).where('finished_at', '<', before),
    exports: () => db.selectFrom('exports').select(count).where('at', '<', before),
    inactive: () => db.selectFrom('profiles').select(count).where('last_seen_at', '<', before),
  }
  const { count: found } = await old[kind]().executeTakeFirstOrThrow()
  if (kind !== 'logs') return Number(found)
  const rejected = await db
    .selectFrom('rejected_events')
    .select(count)
    .where('at', '<', before)
    .executeTakeFirstOrThrow()
  return Number(found) + Number(rejected.count)
}

interface Step {
  removed: number
  isEnd: boolean
}

/** One step of a kind, in a transaction of its own. */
async function removeOld(db: Db, kind: Exclude<Retained, 'inactive'>, before: number): Promise<Step> {
  return await transact(db, async (tx) => {
    switch (kind) {
      case 'events':
        return await removeEvents(tx, before)
      case 'content':
        return await removeContent(tx, before)
      case 'records':
        return await removeRows(tx, { table: 'collection_history', key: 'seq', at: 'at' }, before)
      case 'exports':
        return await removeRows(tx, { table: 'exports', key: 'id', at: 'at' }, before)
      case 'logs': {
        const rejected = await removeRows(tx, { table: 'rejected_events', key: 'id', at: 'at' }, before)
        const jobs = await removeRows(tx, { table: 'jobs', key: 'id', at: 'finished_at' }, before)
        return { removed: rejected.removed + jobs.removed, isEnd: rejected.isEnd && jobs.isEnd }
      }
    }
  })
}

/** Name by name, along the index of their times: looking for old events costs nothing where there are none. */
async function removeEvents(tx: Tx, before: number): Promise<Step> {
  await takeTurn(tx)
  const names = await tx.selectFrom('timeline').select('name').distinct().execute()
  let removed = 0
  for (const { name } of names) {
    const rows = await tx
      .selectFrom('timeline')
      .select('seq')
      .where('name', '=', name)
      .where('ts', '<', before)
      .limit(STEP - removed)
      .execute()
    const seqs = rows.map(({ seq }) => seq)
    await deleteWhere(tx, 'events', 'seq', seqs)
    removed += await deleteWhere(tx, 'timeline', 'seq', seqs)
    if (removed >= STEP) return { removed, isEnd: false }
  }
  return { removed, isEnd: true }
}

function hasContent() {
  return sql<boolean>`(shown_content is not null or cast(content as text) <> '{}')`
}

/** That there was a message, to whom and what became of it stays. */
async function removeContent(tx: Tx, before: number): Promise<Step> {
  const rows = await tx
    .selectFrom('deliveries')
    .select('id')
    .where('state', 'in', ENDED)
    .where('updated_at', '<', before)
    .where(hasContent())
    .limit(STEP)
    .execute()
  if (rows.length > 0)
    await tx
      .updateTable('deliveries')
      .set({ content: '{}', context: '{}', alternatives: '[]', shown_content: null })
      .where(
        'id',
        'in',
        rows.map(({ id }) => id),
      )
      .execute()
  return { removed: rows.length, isEnd: rows.length < STEP }
}

async function removeRows(
  tx: Tx,
  {
    table,
    key,
    at,
  }: { table: 'exports' | 'rejected_events' | 'jobs' | 'collection_history'; key: 'id' | 'seq'; at: string },
  before: number,
): Promise<Step> {
  const { rows } = await sql<{ id: unknown }>`select ${sql.ref(key)} as id from ${sql.table(table)}
    where ${sql.ref(at)} < ${before} limit ${sql.lit(STEP)}`.execute(tx)
  const removed = await deleteWhere(
    tx,
    table,
    key,
    rows.map(({ id }) => id),
  )
  return { removed, isEnd: rows.length < STEP }
}

/** Files that somebody may still fetch, and uploads that nobody goes on with. */
async function removeOldFiles(dataDir: string, now: number): Promise<number> {
  return (
    (await removeFilesIn(path.join(dataDir, 'plugin-exports'), { now, days: FILE_DAYS })) +
    (await removeFilesIn(path.join(dataDir, 'imports'), { now, days: FILE_DAYS, ending: '.problems.csv' })) +
    // Imported within minutes; what is still there was only tried, or failed.
    (await removeFilesIn(recordUploads(dataDir), { now, days: UPLOAD_DAYS }))
  )
}

async function removeFilesIn(
  folder: string,
  { now, days, ending = '' }: { now: number; days: number; ending?: string },
): Promise<number> {
  let removed = 0
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.endsWith(ending)) continue
    const file = path.join(folder, name)
    const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: now }))
    if (now - mtimeMs <= days * DAY_MS) continue
    await rm(file, { force: true })
    removed++
  }
  return removed
}
