import { sql } from 'kysely'
import type { Tx } from '../db/database.ts'
import { rowsOf } from '../db/rows.ts'

export interface StatStep {
  journey_id: string
  version: number
  node: string
  outcome: string
}

/** Counts steps into the sums of their nodes. */
export async function addStats(tx: Tx, steps: readonly StatStep[]): Promise<void> {
  if (steps.length === 0) return
  const sums = new Map<string, StatStep & { count: number }>()
  for (const { journey_id, version, node, outcome } of steps) {
    const key = `${journey_id} ${version} ${node} ${outcome}`
    const sum = sums.get(key)
    if (sum) sum.count++
    else sums.set(key, { journey_id, version, node, outcome, count: 1 })
  }
  const rows = rowsOf(tx, [...sums.values()], {
    journey_id: 'text',
    version: 'integer',
    node: 'text',
    outcome: 'text',
    count: 'integer',
  })
  await sql`insert into journey_stats (journey_id, version, node, outcome, count)
    select r.journey_id, r.version, r.node, r.outcome, r.count from ${rows} where true
    on conflict (journey_id, version, node, outcome) do update set count = journey_stats.count + excluded.count`.execute(
    tx,
  )
}
