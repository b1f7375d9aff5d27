import type Sqlite from 'better-sqlite3'

/** Rows by the group they belong to. */
export const STAGE_INDEX = 'create index staged_groups on staged_rows (key, row)'

/** Settings of every connection to a stage. One that a crash interrupted is made anew, so nothing in it needs to be safe. */
export function prepareStage(db: Sqlite.Database): void {
  db.pragma('journal_mode = MEMORY')
  db.pragma('synchronous = OFF')
  db.pragma('locking_mode = EXCLUSIVE')
  db.pragma('cache_size = -32768')
}
