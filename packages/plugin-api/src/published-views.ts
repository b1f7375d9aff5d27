type Cell = string | number | null

/**
 * The views that `huitou.db` selects from. Columns of `profiles` are those of the profile, physical names: `t_phone`,
 * `commerce_spend`. A column that the plugin may not read is not there for it: it can neither be selected, filtered,
 * sorted nor joined by. Collections are views too, `collections.<id>` for the plugin's own and `publisher.name/id` for
 * those it was granted: `huitou.db.withTables<{ 'collections.cards': Card }>()` gives them a type.
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
    /** JSON text, without personal data that the plugin was not granted. */
    properties: string | null
  }
  /** What customers are known by, of the kinds granted under `profile.pii`. */
  identifiers: { customer_id: number; kind: string; value: string; first_seen_at: number }
  segments: { id: string; name: string; kind: string; owner: string; member_count: number }
  segment_members: { segment_id: string; customer_id: number; entered_at: number }
  segment_changes: { seq: number; segment_id: string; customer_id: number; at: number; entered: number }
}
