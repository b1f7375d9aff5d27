type Cell = string | number | null

/**
 * The views that `huitou.db` selects from. Columns of `profiles` are those of the profile, physical names: `t_phone`,
 * `commerce_spend`. A column that the plugin may not read is not there for it: it can neither be selected, filtered,
 * sorted nor joined by.
 */
export interface PublishedViews {
  profiles: { customer_id: number; key: string; first_seen_at: number; last_seen_at: number } & {
    [column: string]: Cell
  }
  /** Events of customers, canonical names, each fact in its newest version. `value` is in minor units for money. */
  timeline: {
    customer_id: number
    seq: number
    /** Epoch milliseconds. */
    ts: number
    name: string
    value: number | null
  }
  segments: { id: string; name: string; kind: string; owner: string | null }
  segment_members: { segment_id: string; customer_id: number; entered_at: number }
  segment_changes: { seq: number; segment_id: string; customer_id: number; at: number; entered: number }
}
