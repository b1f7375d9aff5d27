import { parentPort, workerData } from 'node:worker_threads'
import Sqlite from 'better-sqlite3'
import { NUMBER_FUNCTION, NUMBER_PATTERN } from './number-text.ts'

export interface QueryRequest {
  id: number
  sql: string
  parameters: readonly unknown[]
  /** Most rows and most characters to read before giving up. */
  rowLimit: number
  answerLimit: number
}

export type QueryAnswer =
  | { id: number; rows: Record<string, unknown>[] }
  | { id: number; error: 'refused' | 'large'; message: string }

const database = new Sqlite((workerData as { file: string }).file, { readonly: true, timeout: 5_000 })
database.pragma('mmap_size = 268435456')
database.pragma('cache_size = -32768')
// As on PostgreSQL; `ilike` is there for the other.
database.pragma('case_sensitive_like = on')
database.pragma('temp_store = MEMORY')
const number = new RegExp(NUMBER_PATTERN)
database.function(NUMBER_FUNCTION, { deterministic: true }, (value: unknown) => {
  if (typeof value === 'number') return value
  return typeof value === 'string' && number.test(value) ? Number(value) : null
})

parentPort?.on('message', ({ id, sql, parameters, rowLimit, answerLimit }: QueryRequest) => {
  const answer = (content: QueryAnswer) => parentPort?.postMessage(content)
  try {
    const rows: Record<string, unknown>[] = []
    let size = 0
    for (const row of database.prepare(sql).iterate(parameters) as IterableIterator<
      Record<string, unknown>
    >) {
      if (rows.push(row) >= rowLimit) break
      for (const value of Object.values(row)) size += typeof value === 'string' ? value.length : 8
      if (size > answerLimit) return answer({ id, error: 'large', message: '' })
    }
    answer({ id, rows })
  } catch (error) {
    answer({ id, error: 'refused', message: error instanceof Error ? error.message : String(error) })
  }
})
