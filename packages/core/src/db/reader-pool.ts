import { Worker } from 'node:worker_threads'
import type { ColumnVector } from '@huitou/plugin-api'
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import type { ReaderAnswer, ReaderRequest } from './reader-worker.ts'
import type { VectorKind } from './vectors.ts'

interface Waiting {
  resolve: (answer: ReaderAnswer) => void
  reject: (error: Error) => void
}

/**
 * A few threads, each with a read-only connection to the same SQLite file, so that a long report runs beside
 * ingestion instead of in front of it. Threads start at first use.
 */
export class ReaderPool {
  readonly #file: string
  readonly #size: number
  readonly #readers: { worker: Worker; waiting: Map<number, Waiting> }[] = []
  #next = 0
  #closed = false

  constructor(file: string, size: number) {
    this.#file = file
    this.#size = size
  }

  async rows<R>(query: CompiledQuery): Promise<R[]> {
    const answer = await this.#ask({ sql: query.sql, parameters: query.parameters })
    return 'rows' in answer ? (answer.rows as R[]) : []
  }

  async columns(
    query: CompiledQuery,
    columns: VectorKind[],
  ): Promise<{ vectors: ColumnVector[]; count: number }> {
    const answer = await this.#ask({ sql: query.sql, parameters: query.parameters, columns })
    return 'vectors' in answer ? answer : { vectors: [], count: 0 }
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#readers.map(({ worker }) => worker.terminate()))
  }

  async #ask(request: Omit<ReaderRequest, 'id'>): Promise<ReaderAnswer> {
    const reader = this.#leastBusy()
    const id = ++this.#next
    // A thread with a question keeps the process; an idle one must not keep a finished command alive.
    reader.worker.ref()
    const answer = await new Promise<ReaderAnswer>((resolve, reject) => {
      reader.waiting.set(id, { resolve, reject })
      reader.worker.postMessage({ ...request, id } satisfies ReaderRequest)
    })
    if ('error' in answer) throw new Error(`${answer.error} in: ${request.sql.slice(0, 500)}`)
    return answer
  }

  #leastBusy() {
    if (this.#closed) throw new Error('The database is closed')
    const idle = this.#readers.find((reader) => reader.waiting.size === 0)
    if (idle) return idle
    if (this.#readers.length < this.#size) return this.#start()
    return this.#readers.reduce((best, reader) => (reader.waiting.size < best.waiting.size ? reader : best))
  }

  #start() {
    const worker = new Worker(new URL('./reader-worker.ts', import.meta.url), {
      workerData: { file: this.#file },
    })
    const reader = { worker, waiting: new Map<number, Waiting>() }
    const fail = (error: Error) => {
      const index = this.#readers.indexOf(reader)
      if (index >= 0) this.#readers.splice(index, 1)
      for (const { reject } of reader.waiting.values()) reject(error)
      reader.waiting.clear()
    }
    worker.on('message', (answer: ReaderAnswer) => {
      const waiting = reader.waiting.get(answer.id)
      reader.waiting.delete(answer.id)
      if (reader.waiting.size === 0) worker.unref()
      waiting?.resolve(answer)
    })
    worker.on('error', (error: Error) => fail(error))
    worker.on('exit', () => fail(new Error('A database reader thread ended')))
    worker.unref()
    this.#readers.push(reader)
    return reader
  }
}

/** Kysely dialect whose queries run on a {@link ReaderPool}. Reads only. */
export function readerDialect(pool: ReaderPool): Dialect {
  const connection: DatabaseConnection = {
    async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
      return { rows: await pool.rows<R>(query) }
    },
    // eslint-disable-next-line require-yield -- the interface wants a generator, readers answer whole
    async *streamQuery(): AsyncIterableIterator<never> {
      throw new Error('Reader threads answer whole results; page with a key instead')
    },
  }
  const driver: Driver = {
    init: async () => {},
    acquireConnection: async () => connection,
    releaseConnection: async () => {},
    beginTransaction: async () => {
      throw new Error('The analytics handle only reads; use `db` for transactions')
    },
    commitTransaction: async () => {},
    rollbackTransaction: async () => {},
    destroy: async () => await pool.close(),
  }
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => driver,
    createIntrospector: (db: Kysely<unknown>) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
}
