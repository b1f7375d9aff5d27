import type { ColumnBatch } from './columns.ts'
import type { ReportData } from './reports.ts'
import type { Source } from './sources.ts'

/** Undoes what returned it. Calling it twice does nothing more. */
export interface Disposable {
  dispose(): void
}

export interface RunContext {
  /** Epoch milliseconds that the run counts as "now". */
  readonly now: number
  readonly signal: AbortSignal
  /** Language of whoever reads the answer; the brand's own when nobody in particular does. */
  readonly locale?: string
}

/** Implementation of a `scorers` contribution. */
export interface Scorer {
  /** Returns the output columns, row for row with `batch`, which holds every customer. */
  score(
    batch: ColumnBatch,
    context: RunContext,
  ): Promise<Record<string, ColumnBatch['columns'][string]>> | Record<string, ColumnBatch['columns'][string]>
}

/** Implementation of a `segmenters` contribution. */
export interface Segmenter {
  /** Returns one label index a row; −1 for none. */
  assign(batch: ColumnBatch, context: RunContext): Promise<Int16Array> | Int16Array
}

/** Implementation of a `reports` contribution. */
export interface Report {
  run(parameters: Record<string, unknown>, context: RunContext): Promise<ReportData> | ReportData
}

interface Registry<T> {
  /** Implements the contribution `id` of the manifest. Registering an id that is not declared is an error. */
  register(id: string, implementation: T): Disposable
}

export interface AggregateQuery {
  /** Columns to group by; text, label, integer or boolean. */
  groupBy?: string[]
  measures: Record<
    string,
    { count: true } | { sum: string } | { mean: string } | { min: string } | { max: string }
  >
  /** Only members of this segment. */
  segmentId?: string
  /** Only customers that have a value in these columns. */
  having?: string[]
}

/** Per-customer sums over one event type, read from the event stream. */
export interface EventTableQuery {
  events: string[]
  /** Events at or after this time, epoch milliseconds. */
  from?: number
  /** Events before this time. */
  before?: number
  /**
   * Only events whose property equals the value. A path such as `items.category` goes through lists: it fits when
   * any element does.
   */
  where?: Record<string, string | number | boolean>
}

export interface EventSeriesQuery extends EventTableQuery {
  by: 'day' | 'week' | 'month'
  segmentId?: string
}

export interface EventSeriesPoint {
  /** First business day of the period, `YYYY-MM-DD`, in the brand's time zone. */
  period: string
  event: string
  count: number
  /** Sum of the events' values (minor units for money). */
  value: number
  customers: number
}

/** What a plugin can do. Every call is checked against the permissions that the owner granted. */
export interface Huitou {
  readonly settings: Readonly<Record<string, unknown>>
  /** Settings follow changes while the plugin runs. */
  onDidChangeSettings(listener: (settings: Readonly<Record<string, unknown>>) => void): Disposable
  readonly brand: { readonly currency: string; readonly timeZone: string; readonly locale: string }
  readonly log: {
    info(message: string, facts?: object): void
    warn(message: string, facts?: object): void
    error(message: string, facts?: object): void
  }
  readonly clock: { now(): number }
  readonly customers: {
    /** Profile columns of every customer, or of a segment's members. */
    read(query: { columns: string[]; segmentId?: string }): Promise<ColumnBatch>
    /** Grouped counts and sums, computed in the database. */
    aggregate(query: AggregateQuery): Promise<Record<string, string | number | null>[]>
  }
  readonly events: {
    /** For each customer with such events: `count`, `value` (sum), `first` and `last` (epoch ms), and `key` (the customer's stable id). */
    perCustomer(query: EventTableQuery): Promise<ColumnBatch>
    series(query: EventSeriesQuery): Promise<EventSeriesPoint[]>
  }
  readonly scorers: Registry<Scorer>
  readonly segmenters: Registry<Segmenter>
  readonly reports: Registry<Report>
  readonly sources: Registry<Source>
}

export interface ActivationContext {
  /** Disposed in reverse order when the plugin is disabled. */
  readonly subscriptions: Disposable[]
  readonly reason: string
}

export interface Plugin {
  activate(huitou: Huitou, context: ActivationContext): void | Promise<void>
  /** Has five seconds. */
  deactivate?(): void | Promise<void>
}

/** Types a plugin's entry; does nothing else. */
export function definePlugin(plugin: Plugin): Plugin {
  return plugin
}
