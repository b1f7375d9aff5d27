import Sqlite from 'better-sqlite3'
import { parentPort, workerData } from 'node:worker_threads'
import { VectorBuilder, type VectorKind } from './vectors.ts'

/** One question to a reader thread. With `columns` the answer comes as vectors instead of rows. */
export interface ReaderRequest {
  id: number
  sql: string
  parameters: readonly unknown[]
  columns?: VectorKind[]
}

export type ReaderAnswer =
  | { id: number; rows: unknown[] }
  | { id: number; vectors: ReturnType<VectorBuilder['build']>[]; count: number }
  | { id: number; error: string }

const database = new Sqlite((workerData as { file: string }).file, { readonly: true, timeout: 5_000 })
database.pragma('mmap_size = 268435456')
database.pragma('cache_size = -65536')

parentPort?.on('message', (request: ReaderRequest) => {
  const port = parentPort
  try {
    const statement = database.prepare(request.sql)
    if (!request.columns) {
      port?.postMessage({ id: request.id, rows: statement.all(request.parameters) } satisfies ReaderAnswer)
      return
    }
    const builders = request.columns.map((kind) => new VectorBuilder(kind))
    let count = 0
    for (const row of statement.raw().iterate(request.parameters) as IterableIterator<unknown[]>) {
      for (let column = 0; column < builders.length; column++) builders[column]?.push(row[column])
      count++
    }
    const vectors = builders.map((builder) => builder.build())
    const buffers = vectors.map(
      (vector) => (vector.kind === 'number' ? vector.values : vector.indexes).buffer as ArrayBuffer,
    )
    port?.postMessage({ id: request.id, vectors, count } satisfies ReaderAnswer, buffers)
  } catch (error) {
    port?.postMessage({
      id: request.id,
      error: error instanceof Error ? error.message : String(error),
    } satisfies ReaderAnswer)
  }
})
