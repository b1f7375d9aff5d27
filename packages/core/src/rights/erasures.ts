import { notFound } from '@huitou/plugin-api'
import { sql } from 'kysely'
import { v7 as uuid } from 'uuid'
import type { CoreContext } from '../context.ts'
import { readCursor } from '../db/cursor.ts'
import { type Db, transact, type Tx } from '../db/database.ts'
import { setEventGate } from '../events/gate.ts'
import { takeTurn } from '../events/append.ts'
import type { Job, JobContext } from '../jobs/jobs.ts'
import { readPeople } from '../journeys/people.ts'
import type { Schedules } from '../nodes/schedules.ts'
import type { SealingBox } from '../plugin-data/storage.ts'
import { findSetting, writeSetting } from '../settings/brand.ts'
import { PROFILES_CURSOR } from '../profiles/project.ts'
import { eraseFiles, noteErasure, type NotedErasure } from './erase-files.ts'
import { eraseRecords } from './erase-records.ts'
import { eraseRows, type Removed } from './erase-rows.ts'
import { eraseTexts } from './erase-texts.ts'
import { ErasureBox } from './erasure-box.ts'
import { type Erasure, listErasures } from './erasure-list.ts'
import { eraseIdentityEvents, forgetIdentity } from './forget-identity.ts'
import { MarkFinder, marksOf } from './marks.ts'
import { applyNoted, BACKUP } from './noted-erasures.ts'
import { Suppression } from './suppression.ts'
import type { RightsTables } from './tables.ts'
import { expectAnswers, type KnownEraser, releasePlugin, tellPlugins, type WhoWas } from './tell-plugins.ts'
import { Tombstones } from './tombstones.ts'

const KIND = 'customers.erase'
const KEY_SETTING = 'suppression-key'
/** How often it is looked whether a plugin that has not answered is to be asked again. */
const RETRY_MS = 60_000
/** What was under way when a customer was erased may still have written something; it is looked for once more. */
const AFTERMATH_MS = 2 * 86_400_000

export interface ErasureOptions {
  /** The installation's secret: hashes of names are keyed with it. */
  secret: string
  /** Seals the names while they are looked for, and the key of the hashes. */
  box?: SealingBox | undefined
  /** Opens what was sealed under the secret before. */
  oldBox?: SealingBox | undefined
}

type Context = CoreContext & { dataDir: string; schedules: Schedules }

/** Takes single customers out of everything that is kept, for good. */
export class Erasures {
  readonly suppression: Suppression
  readonly #context: Context
  readonly #box: ErasureBox
  readonly #tombstones: Tombstones

  constructor(context: Context, { secret, box, oldBox }: ErasureOptions) {
    this.#context = context
    this.suppression = new Suppression(secret)
    this.#box = new ErasureBox(box, oldBox)
    this.#tombstones = new Tombstones(context, { suppression: this.suppression, box: this.#box })
    setEventGate(context.database.db, this.suppression)
    context.jobs.define(KIND, (job) => this.#run(job))
    context.schedules.define({ name: KIND, every: RETRY_MS, run: () => this.#askAgain() })
  }

  /**
   * Forgets at once who a customer is, so that nobody is reached under any of their names again, and puts the job in
   * line that takes away the rest.
   */
  async request(
    customerId: number,
    { reason, by }: { reason: string; by: string },
  ): Promise<{ id: string; job: Job }> {
    const { database, clock } = this.#context
    const now = clock.now()
    const id = uuid()
    const forget = async (tx: Tx) => {
      // In this order, as everywhere: appending, then profiles.
      await takeTurn(tx)
      await readCursor(tx, PROFILES_CURSOR)
      const person = (await readPeople(tx, [customerId])).get(customerId)
      if (!person || person.identifiers.length === 0) throw notFound('Customer', String(customerId))
      const marks = await marksOf(tx, person.id, person.identifiers)
      await this.#tombstones.write(tx, person, {
        id,
        reason,
        marks,
        by,
        now,
      })
      await forgetIdentity(tx, person)
    }
    await zeroing(database.db, database.engine, () => transact(database.db, forget))
    return { id, job: await this.#enqueue(id) }
  }

  /**
   * Says where to read which plugins keep data of customers elsewhere, those that do not run included. They answer as
   * well for whoever was erased again before plugins were open: the first erasure may not have reached them.
   */
  async surround(installed: () => readonly KnownEraser[]): Promise<void> {
    this.#tombstones.installed = installed
    const { database, clock } = this.#context
    const again = await database.db
      .selectFrom('erasures')
      .select('id')
      .where('requested_by', '=', BACKUP)
      .where('state', '=', 'requested')
      .where('customer', 'is not', null)
      .execute()
    if (again.length === 0) return
    await transact(database.db, async (tx) => {
      for (const { id } of again)
        await expectAnswers(tx, this.#tombstones.erasers(), { erasureId: id, now: clock.now() })
    })
  }

  /** A plugin was taken out with its data: no erasure waits for it any more. */
  async release(pluginId: string): Promise<void> {
    await releasePlugin(this.#context.database.db, pluginId)
    await this.resume()
  }

  /** Asks plugins that could not answer, and may be able to by now. */
  async #askAgain(): Promise<void> {
    const { database, clock } = this.#context
    const due = await database.db
      .selectFrom('plugin_erasures')
      .select('erasure_id')
      .distinct()
      .where('state', '=', 'waiting')
      .where('next_at', '<=', clock.now())
      .where('attempts', '>', 0)
      .execute()
    for (const { erasure_id } of due) await this.#enqueue(erasure_id)
  }

  /** Puts every erasure in line that was not finished. Call at the start of a server. */
  async resume(): Promise<void> {
    const rows = await this.#context.database.db
      .selectFrom('erasures')
      .select('id')
      .where('state', '=', 'requested')
      .execute()
    for (const { id } of rows) await this.#enqueue(id)
  }

  /**
   * Erases again whom the data folder's list names and this database, taken from a backup perhaps, knows nothing of.
   * Call before anything runs. Returns how many erasures were new here.
   */
  async applyNoted(): Promise<number> {
    await this.#keepKey()
    const { suppression } = this
    return await applyNoted({ ...this.#context, suppression, tombstones: this.#tombstones })
  }

  async list(limit: number): Promise<Erasure[]> {
    return await listErasures(this.#context.database.db, limit)
  }

  /** Lets the person of that name become a customer again, at their own wish. */
  async lift(kind: string, value: string): Promise<string> {
    const { db } = this.#context.database
    const found = await this.suppression.find(db, kind, value)
    if (!found) throw notFound('Erased customer', `${kind}`)
    await db.deleteFrom('suppressions').where('erasure_id', '=', found.erasureId).execute()
    return found.erasureId
  }

  /** Looks once more for what was being written while customers were erased. */
  async lookAgain(): Promise<void> {
    const { database, clock } = this.#context
    const rows = await database.db
      .selectFrom('erasures')
      .selectAll()
      .where('own_done_at', '>', clock.now() - AFTERMATH_MS)
      .execute()
    for (const row of rows) await eraseRows(database.db, idsOf(row), {})
  }

  #enqueue(id: string): Promise<Job> {
    const title = JSON.stringify({ en: 'Erasing a customer', 'zh-CN': '删除一位客户的数据' })
    return this.#context.jobs.enqueue({ kind: KIND, key: `${KIND}:${id}`, title, payload: { erasure: id } })
  }

  async #run({ job, signal, progress }: JobContext): Promise<Record<string, unknown> | void> {
    const { database, clock } = this.#context
    const id = String(job.payload['erasure'])
    const row = await database.db.selectFrom('erasures').selectAll().where('id', '=', id).executeTakeFirst()
    if (!row || row.state === 'done') return {}
    const finder = new MarkFinder(
      row.marks === null ? [] : (JSON.parse(this.#box.open(row.marks).text) as string[]),
    )
    if (row.own_done_at === null) await this.#eraseOwn({ row, finder }, { signal, progress })
    if (signal.aborted) return
    const waiting = await this.#tell(row, finder, signal)
    if (signal.aborted || waiting > 0) return { waiting }
    await database.db
      .updateTable('erasures')
      .set({ state: 'done', marks: null, customer: null, finished_at: clock.now() })
      .where('id', '=', id)
      .execute()
    return {}
  }

  async #tell({ id, customer }: Row, finder: MarkFinder, signal: AbortSignal): Promise<number> {
    const { text } = customer === null ? { text: undefined } : this.#box.open(customer)
    if (text === undefined) return 0
    return await tellPlugins(
      this.#context,
      { erasureId: id, customer: JSON.parse(text) as WhoWas, finder },
      signal,
    )
  }

  /** Takes the customer out of everything that is kept here. */
  async #eraseOwn(
    { row, finder }: { row: Row; finder: MarkFinder },
    { signal, progress }: Pick<JobContext, 'signal' | 'progress'>,
  ): Promise<void> {
    const { database, clock, dataDir } = this.#context
    const { id } = row
    const ids = idsOf(row)
    const removed: Removed = JSON.parse(row.removed) as Removed
    const steps: (() => Promise<void>)[] = [
      async () => noteErasure(dataDir, await this.#noted(row)),
      () => eraseRows(database.db, ids, removed),
      () => eraseIdentityEvents(database.db, finder, removed),
      () => eraseRecords(database, { ids, finder, removed }),
      () => eraseTexts(database.db, finder, removed),
      () => eraseFiles({ dataDir, db: database.db, clock }, finder, removed),
      // What began before the customer was forgotten has ended by now.
      () => eraseRows(database.db, ids, removed),
    ]
    await zeroing(database.db, database.engine, async () => {
      for (const [done, step] of steps.entries()) {
        progress({ done, total: steps.length, unit: 'steps' })
        if (signal.aborted) return
        await step()
        await database.db
          .updateTable('erasures')
          .set({ removed: JSON.stringify(removed) })
          .where('id', '=', id)
          .execute()
      }
    })
    if (signal.aborted) return
    await database.db.updateTable('erasures').set({ own_done_at: clock.now() }).where('id', '=', id).execute()
  }

  async #noted({ id, requested_at }: Row): Promise<NotedErasure> {
    const hashes = await this.#context.database.db
      .selectFrom('suppressions')
      .select(['hash', 'kind'])
      .where('erasure_id', '=', id)
      .execute()
    return { id, at: requested_at, keyId: this.suppression.keyId, hashes }
  }

  /** Another secret must not make anybody known again who was erased under the one before. */
  async #keepKey(): Promise<void> {
    const { db } = this.#context.database
    if (!this.#box.seals) return
    const stored = (await findSetting(db, KEY_SETTING)) as string | undefined
    if (stored !== undefined) {
      const { text, isOld } = this.#box.open(stored)
      this.suppression.key = text
      if (!isOld) return
    }
    await writeSetting(db, KEY_SETTING, this.#box.seal(this.suppression.key))
  }
}

type Row = RightsTables['erasures']

/** On SQLite what is deleted is overwritten as well, and does not wait in the file's free pages and its log. */
async function zeroing(db: Db, engine: string, work: () => Promise<void>): Promise<void> {
  if (engine !== 'sqlite') return await work()
  await sql`pragma secure_delete = on`.execute(db)
  try {
    await work()
    await sql`pragma wal_checkpoint(truncate)`.execute(db)
  } finally {
    await sql`pragma secure_delete = fast`.execute(db)
  }
}

function idsOf({ ids }: Pick<Row, 'ids'>): number[] {
  return JSON.parse(ids) as number[]
}
