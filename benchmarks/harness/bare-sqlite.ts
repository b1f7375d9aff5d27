import Sqlite from 'better-sqlite3'

/** A SQLite connection with the promises that Huitou's makes, and nothing else. */
export function openBareSqlite(file: string): Sqlite.Database {
  const database = new Sqlite(file)
  for (const pragma of [
    'journal_mode = WAL',
    'synchronous = FULL',
    'cache_size = -131072',
    'mmap_size = 268435456',
    'wal_autocheckpoint = 8000',
  ]) {
    database.pragma(pragma)
  }
  return database
}
