import type {
  AggregateQuery,
  ColumnBatch,
  CustomerKey,
  CustomerRef,
  EventQuery,
  EventSeriesPoint,
  EventSeriesQuery,
  EventTableQuery,
  PermissionName,
  SourceEvent,
  StoredEvent,
} from '@huitou/plugin-api'
import type { CoreContext } from '../context.ts'
import type { EventLog } from '../events/append.ts'
import type { Reader } from '../points/grants.ts'
import {
  aggregateCustomers,
  eventSeries,
  eventsPerCustomer,
  readCustomers,
} from '../reports/plugin-queries.ts'
import { appendPluginEvents } from './append-events.ts'
import { collectionViews } from './collection-views.ts'
import { findCustomer } from './find-customer.ts'
import { PermissionUses } from './permission-uses.ts'
import { queryEvents } from './query-events.ts'
import { PluginQueries, type QueryOptions, type Row } from './run-query.ts'
import {
  deleteSecret,
  deleteStored,
  findSecret,
  findStored,
  listStored,
  type SealingBox,
  store,
  storeSecret,
} from './storage.ts'
import { changeTag } from './tags.ts'
import { PublishedViews, type ViewProvider } from './views.ts'

type Context = Omit<CoreContext, 'jobs'> & { events: EventLog }

/** Who asks, in which version. */
export interface PluginCaller extends Reader {
  readonly version: string
}

/** Everything that plugins may do with the data of the core; each call checks what the caller was granted. */
export class PluginAccess {
  readonly #context: Context
  readonly #views: PublishedViews
  readonly #queries: PluginQueries
  readonly #uses: PermissionUses

  constructor(context: Context) {
    this.#context = context
    this.#views = new PublishedViews(context)
    this.#views.publish((reader) => collectionViews(context, reader))
    this.#queries = new PluginQueries(context, this.#views)
    this.#uses = new PermissionUses(context)
  }

  /** Adds tables that plugins can query. Returns the function that takes them out again. */
  publish(provider: ViewProvider): () => void {
    return this.#views.publish(provider)
  }

  /** Writes down that the caller made use of a permission, the first time that this version does. */
  noteUse({ id, version }: PluginCaller, permission: PermissionName): void {
    this.#uses.note({ pluginId: id, version, permission })
  }

  /** Rows of a query that came as a tree. */
  async query(caller: PluginCaller, tree: unknown, options: QueryOptions = {}): Promise<Row[]> {
    const onUse: QueryOptions['onUse'] = (needs) => {
      for (const { permission } of needs) this.noteUse(caller, permission)
    }
    return await this.#queries.run(caller, tree, { ...options, onUse })
  }

  async readCustomers(
    reader: Reader,
    query: { columns: string[]; segmentId?: string | undefined },
  ): Promise<ColumnBatch> {
    return await readCustomers(this.#as(reader), query)
  }

  async aggregateCustomers(reader: Reader, query: AggregateQuery): Promise<Row[]> {
    return await aggregateCustomers(this.#as(reader), query)
  }

  async findCustomer(reader: Reader, key: CustomerKey): Promise<CustomerRef | undefined> {
    return await findCustomer(this.#context, reader, key)
  }

  /** Gives customers a tag, or takes it off. Whether the plugin may is for the caller to know. */
  async tag(
    { id: pluginId }: Reader,
    change: { customerIds: readonly number[]; tag: string; on: boolean },
  ): Promise<void> {
    await changeTag(this.#context, { pluginId, ...change })
  }

  async eventsPerCustomer(reader: Reader, query: EventTableQuery): Promise<ColumnBatch> {
    return await eventsPerCustomer(this.#as(reader), query)
  }

  async eventSeries(reader: Reader, query: EventSeriesQuery): Promise<EventSeriesPoint[]> {
    return await eventSeries(this.#as(reader), query)
  }

  async queryEvents(reader: Reader, query: EventQuery): Promise<{ events: StoredEvent[]; cursor?: string }> {
    return await queryEvents(this.#as(reader), query)
  }

  async appendEvents(
    reader: Reader,
    events: readonly SourceEvent[],
  ): Promise<{ accepted: number; duplicates: number }> {
    return await appendPluginEvents(this.#context, reader, events)
  }

  /** What a plugin stores under keys of its own. */
  storage(pluginId: string) {
    const { db } = this.#context.database
    return {
      get: (key: string) => findStored(db, pluginId, key),
      set: (key: string, value: unknown) => store(this.#context, pluginId, { key, value }),
      delete: (key: string) => deleteStored(db, pluginId, key),
      list: (prefix: string) => listStored(db, pluginId, prefix),
    }
  }

  /** The same for secrets, which `box` seals. */
  secrets(pluginId: string, box: SealingBox) {
    const { db } = this.#context.database
    return {
      get: (key: string) => findSecret(db, box, { pluginId, key }),
      set: (key: string, value: string) => storeSecret(this.#context, box, { pluginId, key, value }),
      delete: (key: string) => deleteSecret(db, pluginId, key),
    }
  }

  /** Ends what runs outside this process. */
  close(): void {
    this.#queries.close()
  }

  #as(reader: Reader) {
    const { database, points, brand } = this.#context
    return { database, points, brand, reader }
  }
}
