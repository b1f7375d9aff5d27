import { userError } from '@huitou/plugin-api'
import type { CoreContext } from '../context.ts'
import { transact } from '../db/database.ts'
import { tellChanges } from './after-change.ts'
import { applyCollections, type CollectionsChange } from './apply.ts'
import type { CollectionDeclaration } from './declaration.ts'
import { type Definition, getDefinition } from './definition.ts'
import {
  countGroups,
  countRecords,
  findRecords,
  getRecord,
  type RecordPage,
  type RecordSearch,
} from './find.ts'
import type { RecordData } from './record-schema.ts'
import type { StoredRecord } from './record.ts'
import {
  type ChangeOptions,
  deleteRecords,
  insertRecord,
  undeleteRecords,
  updateRecord,
  type WriteOptions,
} from './write.ts'

type Context = Pick<CoreContext, 'database' | 'points' | 'clock' | 'log'>

/** Records that plugins declare: who asks for one gives the collection's full id, `publisher.name/id`. */
export class Collections {
  readonly #context: Context
  readonly #listeners = new Set<(collection: string) => void>()

  constructor(context: Context) {
    this.#context = context
  }

  /** Brings what is stored to what a plugin's manifest declares; all of it or nothing. */
  async apply(plugin: string, declarations: readonly CollectionDeclaration[]): Promise<CollectionsChange> {
    const { database, clock } = this.#context
    return await transact(database.db, (tx) =>
      applyCollections(tx, plugin, { declarations, now: clock.now() }),
    )
  }

  /** Throws `E_NOT_FOUND` when no enabled plugin declares it. */
  async definition(id: string): Promise<Definition> {
    const { database, points } = this.#context
    if (!points.collections.find(id)) {
      throw userError('E_NOT_FOUND', `Collection "${id}" does not exist`, {
        status: 404,
        details: { thing: 'Collection', id },
        hint: 'Its plugin may be disabled; look in Extensions.',
      })
    }
    return await getDefinition(database.db, id, points)
  }

  async find(id: string, search: RecordSearch): Promise<RecordPage> {
    return await findRecords(this.#context.database.analytics, await this.definition(id), search)
  }

  async count(id: string, search: Pick<RecordSearch, 'filter' | 'search'>): Promise<number> {
    return await countRecords(this.#context.database.analytics, await this.definition(id), search)
  }

  async groups(id: string, query: Parameters<typeof countGroups>[2]) {
    return await countGroups(this.#context.database.analytics, await this.definition(id), query)
  }

  async get(id: string, record: string): Promise<StoredRecord> {
    return await getRecord(this.#context.database.db, await this.definition(id), record)
  }

  async insert(id: string, data: RecordData, options: WriteOptions): Promise<StoredRecord> {
    const record = await insertRecord(this.#context, await this.definition(id), data, options)
    this.changed(id)
    return record
  }

  async update(
    id: string,
    record: string,
    change: { data: RecordData; replace?: boolean } & ChangeOptions,
  ): Promise<StoredRecord> {
    const changed = await updateRecord(this.#context, await this.definition(id), record, change)
    this.changed(id)
    return changed
  }

  /** How many of them were there. */
  async delete(id: string, records: readonly string[], options: ChangeOptions): Promise<number> {
    const deleted = await deleteRecords(this.#context, await this.definition(id), records, options)
    if (deleted.length > 0) this.changed(id)
    return deleted.length
  }

  /** Brings deleted records back; says how many. */
  async undelete(id: string, records: readonly string[], options: WriteOptions): Promise<number> {
    const back = await undeleteRecords(this.#context, await this.definition(id), records, options)
    if (back.length > 0) this.changed(id)
    return back.length
  }

  /** Tells plugins of some of the changes that they wait for; false when there is none. */
  async tellChanges(): Promise<boolean> {
    return await tellChanges(this.#context)
  }

  /** Called with the collection's id after records of it were written. */
  onChange(listener: (collection: string) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Says that records of a collection were written, past the methods of this object. */
  changed(id: string): void {
    for (const listener of this.#listeners) listener(id)
  }
}
