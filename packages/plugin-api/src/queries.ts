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

export interface EventQuery extends EventTableQuery {
  customerIds?: number[]
  /** 100 if absent, 1,000 at most. */
  limit?: number
  /** From the page before. */
  cursor?: string
}

export interface StoredEvent {
  seq: number
  customerId: number
  name: string
  /** Epoch milliseconds. */
  ts: number
  value: number | null
  /** Personal data is masked unless `profile.pii` allows it. */
  properties: Record<string, unknown>
}

/** One way to say which customer. By identifier it needs `profile.pii` for that kind. */
export type CustomerKey = { id: number } | { key: string } | { identifier: { kind: string; value: string } }

export interface CustomerRef {
  id: number
  /** Stable id for the outside. */
  key: string
}
