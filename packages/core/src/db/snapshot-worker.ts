import Sqlite from 'better-sqlite3'
import { parentPort, workerData } from 'node:worker_threads'

/** What the thread is asked for: a copy of `file`, or a look at it. */
export type SnapshotRequest =
  | { work: 'copy'; file: string; into: string }
  | { work: 'inspect'; file: string; tables: readonly string[] | undefined }

export interface TableSum {
  rows: number
  /** Of all rows, whatever order they lie in. */
  sum: string
}

export type SnapshotAnswer = { problems: string[]; tables: Record<string, TableSum> }

const request = workerData as SnapshotRequest
const database = new Sqlite(request.file, { readonly: true, timeout: 10_000 })
try {
  if (request.work === 'copy') {
    database.prepare('vacuum into ?').run(request.into)
    emptyLog(request.file)
    parentPort?.postMessage({ problems: [], tables: {} } satisfies SnapshotAnswer)
  } else parentPort?.postMessage(inspect(request.tables))
} finally {
  database.close()
}

/**
 * While it was copied, nothing that others wrote could leave the write-ahead log. Whoever commits next would have to bring
 * all of it into the database; this thread has nobody waiting.
 */
function emptyLog(file: string): void {
  try {
    const writer = new Sqlite(file, { fileMustExist: true })
    writer.pragma('wal_checkpoint(passive)')
    writer.close()
  } catch {
    // A folder that may only be read: then nobody writes there either.
  }
}

function inspect(wanted: readonly string[] | undefined): SnapshotAnswer {
  const problems = (database.pragma('integrity_check(5)') as { integrity_check: string }[])
    .map((row) => row.integrity_check)
    .filter((text) => text !== 'ok')
  const names =
    wanted ??
    database
      .prepare<[], { name: string }>(
        "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' and sql not like 'create virtual%' order by name",
      )
      .all()
      .map(({ name }) => name)
  return { problems, tables: Object.fromEntries(names.map((name) => [name, sumOf(name)])) }
}

/** 64 bits of every row, added up: rows may lie in another order after a copy. */
function sumOf(table: string): TableSum {
  let rows = 0
  let sum = 0n
  const all = database
    .prepare(`select * from "${table.replaceAll('"', '""')}"`)
    .raw()
    .safeIntegers()
  for (const row of all.iterate() as Iterable<unknown[]>) {
    rows++
    sum = BigInt.asUintN(64, sum + hashOf(row))
  }
  return { rows, sum: sum.toString(16) }
}

/** FNV-1a over the row's values; a chance meeting of two rows is no matter, a changed one always shows. */
function hashOf(row: readonly unknown[]): bigint {
  let low = 0x811c9dc5
  let high = 0xcbf29ce4
  for (const value of row) {
    const text =
      value instanceof Uint8Array ? Buffer.from(value).toString('base64') : `${typeof value}${String(value)}`
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at)
      low = Math.imul(low ^ code, 0x01000193)
      high = Math.imul(high ^ code, 0x85ebca6b)
    }
    low = Math.imul(low ^ 0x1f, 0x01000193)
  }
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
}
