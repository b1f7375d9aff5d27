import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Tables that hold what is under way, and shrink by themselves. */
const PASSING =
  /^(?:profile_changes|segment_changes|jobs|nodes|stage_claims|schedules|session|verification|.*_fts.*|sqlite_.*)$/

export interface Rows {
  counts: Record<string, number>
  /** A mark of all events in their order: whose they are and when, not what they say, which may be sealed meanwhile. */
  events: string
  /** What is here and not there any more. */
  missing(later: Rows): string[]
}

/** Rows of every table of a data folder that nobody serves. */
export function countRows(dataDir: string): Rows {
  const database = new DatabaseSync(path.join(dataDir, 'huitou.db'), { readOnly: true })
  try {
    const tables = database
      .prepare(`select name from sqlite_master where type = 'table' order by name`)
      .all()
      .map(({ name }) => String(name))
      .filter((name) => !PASSING.test(name))
    const counts = Object.fromEntries(
      tables.map((name) => {
        const row = database.prepare(`select count(*) as n from "${name}"`).get()
        return [name, Number(row?.['n'])]
      }),
    )
    const sum = database
      .prepare(
        `select count(*) as n, sum(seq * 31 + ts % 1000003) as s, min(message_id) || max(message_id) as m from events`,
      )
      .get()
    return {
      counts,
      events: JSON.stringify(sum),
      missing: (later) => missing({ counts, events: JSON.stringify(sum) }, later),
    }
  } finally {
    database.close()
  }
}

function missing(before: Pick<Rows, 'counts' | 'events'>, later: Rows): string[] {
  const fewer = Object.entries(before.counts).flatMap(([table, count]) => {
    const now = later.counts[table]
    return now === undefined || now < count ? [`table ${table}: ${count} rows, now ${now ?? 'none'}`] : []
  })
  return before.events === later.events ? fewer : [...fewer, `events: ${before.events}, now ${later.events}`]
}
