import type { Kysely } from 'kysely'
import type { Channel } from './channels.ts'
import type { Collection, CollectionHooks } from './collections.ts'
import type { ColumnBatch } from './columns.ts'
import type { CommandHandler, Progress } from './commands.ts'
import type { ExtensionImplementation, ExtensionPointAccess } from './extension-points.ts'
import type { ModelProvider } from './models.ts'
import type { Disposable, Report, Scorer, Segmenter } from './plugin.ts'
import type { ProposedAi, ProposedJobs } from './proposed.ts'
import type { PublishedViews } from './published-views.ts'
import type { TaskReceipt, TaskRequest } from './tasks.ts'
import type {
  AggregateQuery,
  CustomerKey,
  CustomerRef,
  EventQuery,
  EventSeriesPoint,
  EventSeriesQuery,
  EventTableQuery,
  StoredEvent,
} from './queries.ts'
import type { Source, SourceEvent } from './sources.ts'
import type { Action, Condition, Gate } from './steps.ts'
import type { Eraser } from './erasers.ts'
import type { ViewImplementation } from './views.ts'

/** Types of a plugin's own, for `definePlugin<Types>`: its settings and the records of its collections. */
export interface PluginTypes {
  settings?: object
  collections?: object
}

type SettingsOf<Types extends PluginTypes> = Types extends { settings: infer Settings extends object }
  ? Settings
  : Record<string, unknown>

type CollectionsOf<Types extends PluginTypes> = Types extends { collections: infer Records extends object }
  ? { readonly [Id in keyof Records]: Collection<Records[Id]> }
  : { readonly [id: string]: Collection }

/** Where implementations of one contribution point go. */
export interface Registry<T> {
  /** Implements the contribution `id` of the manifest. Registering an id that is not declared is an error. */
  register(id: string, implementation: T): Disposable
}

/** JSON that fits into the database: what `storage` keeps and models consist of. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue }

export interface FetchInit {
  method?: string
  headers?: Record<string, string>
  body?: string | Uint8Array
  /** `follow` stays within the hosts granted. */
  redirect?: 'follow' | 'manual' | 'error'
  /** 30,000 if absent, which is also the most. */
  timeoutMs?: number
}

/** An answer of another server, whole: 10 MB at most. */
export interface FetchResponse {
  readonly ok: boolean
  readonly status: number
  readonly statusText: string
  /** Where it came from, after redirects. */
  readonly url: string
  readonly headers: { get(name: string): string | null; entries(): IterableIterator<[string, string]> }
  text(): Promise<string>
  json(): Promise<unknown>
  bytes(): Promise<Uint8Array>
}

/**
 * What a plugin can do. Every call that leaves the plugin is checked against the permissions that the owner granted,
 * and can be recorded and replayed; one that is not granted fails with `E_PERMISSION`.
 */
export interface Huitou<Types extends PluginTypes = PluginTypes> {
  readonly settings: Readonly<SettingsOf<Types>>
  /** Settings follow changes while the plugin runs. */
  onDidChangeSettings(listener: (settings: Readonly<SettingsOf<Types>>) => void): Disposable
  readonly brand: { readonly currency: string; readonly timeZone: string; readonly locale: string }
  readonly log: {
    info(message: string, facts?: object): void
    warn(message: string, facts?: object): void
    error(message: string, facts?: object): void
  }
  /** Time as the product sees it; stands still in tests and replays. */
  readonly clock: { now(): number }
  readonly i18n: {
    /** Text `key` of `package.nls.json`; `{name}` in it is filled in. In the brand's language unless told otherwise. */
    t(key: string, parameters?: Readonly<Record<string, string | number>>, locale?: string): string
  }
  /** Tells how far the call in hand is, to whoever waits for it. */
  progress(progress: Progress): void
  /** Values of the plugin's own: 64 KB each, 10 MB in all. */
  readonly storage: {
    get<T extends JsonValue = JsonValue>(key: string): Promise<T | undefined>
    set(key: string, value: JsonValue): Promise<void>
    delete(key: string): Promise<void>
    /** Keys that start with `prefix`, in order. */
    list(prefix?: string): Promise<string[]>
  }
  /** Encrypted at rest. Needs the permission `secrets`. */
  readonly secrets: {
    get(key: string): Promise<string | undefined>
    set(key: string, value: string): Promise<void>
    delete(key: string): Promise<void>
  }
  /** Asks another server. Needs the permission `network` for its host. */
  fetch(url: string, init?: FetchInit): Promise<FetchResponse>
  readonly customers: {
    /** Profile columns of every customer, or of a segment's members. */
    read(query: { columns: string[]; segmentId?: string }): Promise<ColumnBatch>
    /** Grouped counts and sums, computed in the database. */
    aggregate(query: AggregateQuery): Promise<Record<string, string | number | null>[]>
    /** The customer with this id, key or identifier. */
    find(key: CustomerKey): Promise<CustomerRef | undefined>
    /** Needs the permission `customers.tag`. Customers that have the tag keep it. */
    tag(customerIds: number[], tag: string): Promise<void>
    untag(customerIds: number[], tag: string): Promise<void>
  }
  readonly events: {
    /** Adds events, each message id once. Needs the permission `events.append` for their names. */
    append(events: SourceEvent[]): Promise<{ accepted: number; duplicates: number }>
    /** Single events, newest first. */
    query(query: EventQuery): Promise<{ events: StoredEvent[]; cursor?: string }>
    /** For each customer with such events: `count`, `value` (sum), `first` and `last` (epoch ms), and `key` (the customer's stable id). */
    perCustomer(query: EventTableQuery): Promise<ColumnBatch>
    series(query: EventSeriesQuery): Promise<EventSeriesPoint[]>
  }
  readonly tasks: {
    /** Puts work on the lists of people. Needs the permission `tasks.create`. */
    create(task: TaskRequest): Promise<TaskReceipt>
  }
  /** SELECT over published views: the query runs in the server, on columns that the plugin may read. */
  readonly db: Kysely<PublishedViews>
  /** The plugin's own collections by id, and those it was granted by `publisher.name/id`. */
  readonly collections: CollectionsOf<Types>
  readonly commands: Registry<CommandHandler<never>> & {
    /** Runs a command: an own id, or `publisher.name/id` of another plugin's that is `callable`. */
    execute(id: string, input?: Record<string, unknown>): Promise<unknown>
  }
  readonly scorers: Registry<Scorer>
  readonly segmenters: Registry<Segmenter>
  readonly reports: Registry<Report>
  readonly sources: Registry<Source>
  readonly channels: Registry<Channel>
  readonly actions: Registry<Action>
  readonly conditions: Registry<Condition>
  readonly gates: Registry<Gate>
  readonly erasers: Registry<Eraser>
  readonly models: Registry<ModelProvider>
  readonly collectionHooks: Registry<CollectionHooks<never>>
  /** Answers to the `calls` of webviews and modules. */
  readonly views: Registry<ViewImplementation>
  /** A point that this plugin defines: `point/v1`. */
  extensionPoint<T = Record<string, unknown>>(id: string): ExtensionPointAccess<T>
  /** Implementations of contributions to other plugins' points. */
  readonly extensions: Registry<ExtensionImplementation>
  /** Proposed: needs `enabledApiProposals: ["jobs"]`; the engine comes later. */
  readonly jobs?: ProposedJobs
  /** Proposed: needs `enabledApiProposals: ["ai"]`; the engine comes later. */
  readonly ai?: ProposedAi
}
