import type { ColumnBatch, ColumnVector } from './columns.ts'
import type { Huitou, JsonValue, PluginTypes } from './huitou.ts'
import type { ReportData } from './reports.ts'

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

/** What a scorer works on: all customers. */
export interface ScoreBatch extends ColumnBatch {
  /** What `fit` answered last; absent for a scorer that does not fit. */
  readonly model?: JsonValue
}

/** Implementation of a `scorers` contribution. */
export interface Scorer {
  /**
   * Learns from every row. The model is stored with a version and handed to `score` until there is a newer one: at the
   * next tick of the scorer's schedule, on the next business day when it has none, and when the plugin or its settings
   * change. 1 MB of JSON at most. The manifest says `fits: true`.
   */
  fit?(table: ColumnBatch, context: RunContext): Promise<JsonValue> | JsonValue
  /** Returns the output columns, row for row with `batch`, which holds every customer. */
  score(
    batch: ScoreBatch,
    context: RunContext,
  ): Promise<Record<string, ColumnVector>> | Record<string, ColumnVector>
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

export interface ActivationContext {
  /** Disposed in reverse order when the plugin is disabled. */
  readonly subscriptions: Disposable[]
  readonly reason: string
}

export interface Plugin<Types extends PluginTypes = PluginTypes> {
  activate(huitou: Huitou<Types>, context: ActivationContext): void | Promise<void>
  /**
   * Told whenever one of the manifest's `activationEvents` happens: `onEvent:order.paid` with the event's name,
   * `onSchedule:0 9 * * *`, `onStartupFinished`.
   */
  onActivationEvent?(event: string): void | Promise<void>
  /**
   * Asked once before this version takes the place of another one, after `activate`. Throw when something that the
   * plugin needs is missing: the version in force then stays.
   */
  probe?(): void | Promise<void>
  /** Has five seconds. */
  deactivate?(): void | Promise<void>
}

/**
 * Types a plugin's entry; does nothing else.
 *
 * @example
 * export default definePlugin<{ settings: { days: number } }>({
 *   activate(huitou, { subscriptions }) {
 *     subscriptions.push(huitou.scorers.register('freshness', createScorer(huitou)))
 *   },
 * })
 */
export function definePlugin<Types extends PluginTypes = PluginTypes>(plugin: Plugin<Types>): Plugin<Types> {
  return plugin
}
