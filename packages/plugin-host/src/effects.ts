import type {
  AggregateQuery,
  ColumnBatch,
  EventSeriesPoint,
  EventSeriesQuery,
  EventTableQuery,
  Permissions,
} from '@huitou/plugin-api'

/** What plugins can ask of the server, method by method: the query it takes and what it answers. */
export interface EffectMethods {
  'customers.read': (query: { columns: string[]; segmentId?: string }) => ColumnBatch
  'customers.aggregate': (query: AggregateQuery) => Record<string, string | number | null>[]
  'events.perCustomer': (query: EventTableQuery) => ColumnBatch
  'events.series': (query: EventSeriesQuery) => EventSeriesPoint[]
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
