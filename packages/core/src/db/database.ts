import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { ColumnVector } from '@huitou/plugin-api'
import Sqlite from 'better-sqlite3'
import { type Compilable, Kysely, PostgresDialect, type Transaction } from 'kysely'
import pg from 'pg'
import type { Tables } from '../schema.ts'
import { ReaderPool, readerDialect } from './reader-pool.ts'
import { sqliteDialect } from './sqlite-driver.ts'
import { VectorBuilder, type VectorKind } from './vectors.ts'

export type Engine = 'sqlite' | 'postgres'
export type Db = Kysely<Tables>
export type Tx = Transaction<Tables>

/** The two handles on the data: `db` for short reads and writes, `analytics` for long reads. */
export interface Database {
  readonly engine: Engine
  readonly db: Db
  readonly analytics: Db
  /** Runs a query on `analytics` and returns its columns in the order of `kinds`, ready to send to a plugin. */
  readColumns(query: Compilable, kinds: VectorKind[]): Promise<{ vectors: ColumnVector[]; count: number }>
  close(): Promise<void>
}

export type DatabaseOptions =
  | { /** SQLite file; made when absent. */ file: string; readers?: number }
  | {
      /** `postgres://…` */ url: string
      /** Replica for long reads; the same server when absent. */ analyticsUrl?: string
      poolSize?: number
    }

/** Opens SQLite or PostgreSQL. The schema is not touched: see `migrate`. */
export function openDatabase(options: DatabaseOptions): Database {
  return 'file' in options ? openSqlite(options) : openPostgres(options)
}

/** Runs `work` in one transaction; everything in it must go through `tx`, and nothing in it may wait for a network. */
export function transact<T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> {
  return db.transaction().execute(work)
}

function openSqlite({ file, readers = 2 }: { file: string; readers?: number }): Database {
  mkdirSync(dirname(file), { recursive: true })
  const open = () => {
    const database = new Sqlite(file, { timeout: 10_000 })
    database.pragma('journal_mode = WAL')
    // An acknowledged event is on disk, also after a power cut; group commit pays for it.
    database.pragma('synchronous = FULL')
    database.pragma('foreign_keys = ON')
    database.pragma('temp_store = MEMORY')
    database.pragma('cache_size = -131072')
    database.pragma('mmap_size = 268435456')
    database.pragma('journal_size_limit = 67108864')
    // Pages that many commits touch go to the main file once in 32 MB of log, not once in 4.
    database.pragma('wal_autocheckpoint = 8000')
    return database
  }
  const pool = new ReaderPool(file, readers)
  const db = new Kysely<Tables>({ dialect: sqliteDialect(open) })
  const analytics = new Kysely<Tables>({ dialect: readerDialect(pool) })
  return {
    engine: 'sqlite',
    db,
    analytics,
    readColumns: (query, kinds) => pool.columns(query.compile(), kinds),
    async close() {
      await analytics.destroy()
      await db.destroy()
    },
  }
}

/** Integers and JSON come back as SQLite gives them: numbers, and JSON as text. */
const INT8 = 20
const NUMERIC = 1700
const JSON_TYPES = new Set([114, 3802])

function openPostgres(options: { url: string; analyticsUrl?: string; poolSize?: number }): Database {
  const types = {
    getTypeParser(oid: number, format?: 'text' | 'binary') {
      if (oid === INT8 || oid === NUMERIC) return Number
      if (JSON_TYPES.has(oid)) return (text: string) => text
      return pg.types.getTypeParser(oid, format as 'text')
    },
  } as pg.CustomTypesConfig
  const connect = (connectionString: string, max: number) => {
    const pool = new pg.Pool({ connectionString, max, types })
    // An idle connection that breaks is replaced at the next use; without a listener it would end the process.
    pool.on('error', () => {})
    return pool
  }
  const main = connect(options.url, options.poolSize ?? 10)
  const long = connect(
    options.analyticsUrl ?? options.url,
    Math.max(2, Math.floor((options.poolSize ?? 10) / 3)),
  )
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: main }) })
  const analytics = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: long }) })
  return {
    engine: 'postgres',
    db,
    analytics,
    async readColumns(query, kinds) {
      const { sql, parameters } = query.compile()
      const result = await long.query({ text: sql, values: [...parameters], rowMode: 'array' })
      const builders = kinds.map((kind) => new VectorBuilder(kind))
      for (const row of result.rows as unknown[][]) {
        for (let column = 0; column < builders.length; column++) builders[column]?.push(row[column])
      }
      return { vectors: builders.map((builder) => builder.build()), count: result.rows.length }
    },
    async close() {
      await db.destroy()
      await analytics.destroy()
    },
  }
}
