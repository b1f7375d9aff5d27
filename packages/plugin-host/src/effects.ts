import type {
  AggregateQuery,
  CollectionQuery,
  CollectionRecord,
  ColumnBatch,
  CustomerKey,
  CustomerRef,
  EventQuery,
  EventSeriesPoint,
  EventSeriesQuery,
  EventTableQuery,
  Extension,
  FetchInit,
  JsonValue,
  Permissions,
  Progress,
  SourceEvent,
  StoredEvent,
  TaskReceipt,
  TaskRequest,
} from '@huitou/plugin-api'

export type Row = Record<string, string | number | null>

/** An answer of another server as it travels to the plugin. */
export interface FetchAnswer {
  status: number
  statusText: string
  url: string
  headers: [name: string, value: string][]
  body: Uint8Array
}

/** What plugins can ask of the server, method by method: the query it takes and what it answers. */
export interface EffectMethods {
  'customers.read': (query: { columns: string[]; segmentId?: string }) => ColumnBatch
  'customers.aggregate': (query: AggregateQuery) => Row[]
  'customers.find': (query: { key: CustomerKey }) => CustomerRef | undefined
  'customers.tag': (query: { customerIds: number[]; tag: string }) => void
  'customers.untag': (query: { customerIds: number[]; tag: string }) => void
  'events.perCustomer': (query: EventTableQuery) => ColumnBatch
  'events.series': (query: EventSeriesQuery) => EventSeriesPoint[]
  'events.query': (query: EventQuery) => { events: StoredEvent[]; cursor?: string }
  'events.append': (query: { events: SourceEvent[] }) => { accepted: number; duplicates: number }
  'tasks.create': (task: TaskRequest) => TaskReceipt
  /** `tree` is a Kysely operation node. */
  'db.query': (query: { tree: unknown }) => Row[]
  'storage.get': (query: { key: string }) => JsonValue | undefined
  'storage.set': (query: { key: string; value: JsonValue }) => void
  'storage.delete': (query: { key: string }) => void
  'storage.list': (query: { prefix: string }) => string[]
  'secrets.get': (query: { key: string }) => string | undefined
  'secrets.set': (query: { key: string; value: string }) => void
  'secrets.delete': (query: { key: string }) => void
  fetch: (query: { url: string; init: FetchInit }) => FetchAnswer
  /** `collection` is a full id, `publisher.name/id`, here and below. */
  'collections.find': (query: { collection: string } & CollectionQuery) => {
    records: CollectionRecord[]
    cursor?: string
  }
  'collections.get': (query: { collection: string; id: string }) => CollectionRecord
  'collections.insert': (query: { collection: string; data: Record<string, unknown> }) => CollectionRecord
  'collections.update': (query: {
    collection: string
    id: string
    changes: Record<string, unknown>
    version?: number
  }) => CollectionRecord
  'collections.delete': (query: { collection: string; id: string }) => void
  'collections.count': (query: { collection: string } & Pick<CollectionQuery, 'where' | 'search'>) => number
  /** `id` is a full id, `publisher.name/id`. */
  'commands.execute': (query: { id: string; input: Record<string, unknown> }) => unknown
  /** `point` is a full id, `publisher.name/point/v1`, of a point that the plugin itself defines. */
  'extensions.list': (query: { point: string }) => Extension[]
  'extensions.call': (query: {
    point: string
    contributorId: string
    method: string
    input: unknown
  }) => unknown
  progress: (progress: Progress) => void
  log: (entry: LogEntry) => void
}

export type EffectMethod = keyof EffectMethods

export interface LogEntry {
  level: 'info' | 'warn' | 'error'
  message: string
  facts?: object
}

/** Who asks, and for how long the answer matters. */
export interface EffectContext {
  readonly pluginId: string
  readonly columnPrefix: string
  readonly version: string
  readonly permissions: Permissions
  readonly signal: AbortSignal
}

/** One handler a method; what {@link routeEffects} turns into {@link Effects}. */
export type EffectHandlers = {
  [Method in EffectMethod]: (
    query: Parameters<EffectMethods[Method]>[0],
    context: EffectContext,
  ) => ReturnType<EffectMethods[Method]> | Promise<ReturnType<EffectMethods[Method]>>
}

/**
 * Carries out what a plugin asks, already checked against its permissions. Typed arrays in the answer are moved
 * to the plugin, so answer with arrays that nobody else holds.
 */
export type Effects = (
  pluginId: string,
  method: EffectMethod,
  args: unknown[],
  context: EffectContext,
) => unknown

/** Typed handlers as one function. */
export function routeEffects(handlers: EffectHandlers): Effects {
  return (_pluginId, method, [query], context) =>
    (handlers[method] as (query: unknown, context: EffectContext) => unknown)(query, context)
}
