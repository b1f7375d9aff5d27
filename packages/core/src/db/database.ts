import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { type ColumnVector, toTextVector } from '@huitou/plugin-api'
import Sqlite from 'better-sqlite3'
import { type Compilable, Kysely, PostgresDialect, type Transaction } from 'kysely'
import pg from 'pg'
import { Vault } from '../people/vault.ts'
import type { Tables } from '../schema.ts'
import { ReaderPool, readerDialect } from './reader-pool.ts'
import { checkClaim } from './claims.ts'
import { noNotices, type Notices, PostgresNotices } from './notices.ts'
import { cut } from './side-connection.ts'
import { withSealing } from './sealing.ts'
import { sqliteDialect } from './sqlite-driver.ts'
import { VectorBuilder, type VectorKind } from './vectors.ts'

const SILENCE_MS = 15_000

export type Engine = 'sqlite' | 'postgres'
export type Db = Kysely<Tables>
export type Tx = Transaction<Tables>

/** The two handles on the data: `db` for short reads and writes, `analytics` for long reads. */
export interface Database {
  readonly engine: Engine
  readonly db: Db
  readonly analytics: Db
  /** Seals personal data on its way in and opens it on its way out; both handles go through it. */
  readonly vault: Vault
  /** Runs a query on `analytics` and returns its columns in the order of `kinds`, ready to send to a plugin. */
  readColumns(query: Compilable, kinds: VectorKind[]): Promise<{ vectors: ColumnVector[]; count: number }>
  /** What nodes on this database tell each other. */
  readonly notices: Notices
  /** A node that the database has not heard of for so long is dead, and its work is others'. */
  readonly silenceMs: number
  /** Connections for a library that brings its own queries; PostgreSQL only. Whoever asked ends them. */
  openPool?(max: number): pg.Pool
  /** Ends all connections at once, with the queries that wait on them; new ones are made at the next query. */
  cutOff(): void
  close(): Promise<void>
}

export type DatabaseOptions = (
  | { /** SQLite file; made when absent. */ file: string; readers?: number }
  | {
      /** `postgres://…` */ url: string
      /** Replica for long reads; the same server when absent. */ analyticsUrl?: string
      poolSize?: number
      /** Milliseconds of silence after which nodes are dead; the same for all. */ silenceMs?: number
    }
) & { /** Keys of another database that this one is a copy of. */ vault?: Vault }

/** Opens SQLite or PostgreSQL. The schema is not touched: see `migrate`. */
export function openDatabase(options: DatabaseOptions): Database {
  return 'file' in options ? openSqlite(options) : openPostgres(options)
}

/**
 * Runs `work` in one transaction; everything in it must go through `tx`, and nothing in it may wait for a network. In a
 * stage's turn it throws `E_CLAIM_LOST` when the stage is another node's by now.
 */
export function transact<T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> {
  return db.transaction().execute(async (tx) => {
    await checkClaim(tx)
    return await work(tx)
  })
}

function openSqlite({
  file,
  readers = 2,
  vault = new Vault(),
}: {
  file: string
  readers?: number
  vault?: Vault
}): Database {
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
    // What is deleted or moved within a page is overwritten, which costs no further page; an erasure does the rest.
    database.pragma('secure_delete = fast')
    return database
  }
  const pool = new ReaderPool(file, readers)
  const db = withSealing(new Kysely<Tables>({ dialect: sqliteDialect(open) }), vault)
  const analytics = withSealing(new Kysely<Tables>({ dialect: readerDialect(pool) }), vault)
  return {
    engine: 'sqlite',
    db,
    analytics,
    vault,
    readColumns: async (query, kinds) => await opened(vault, await pool.columns(query.compile(), kinds)),
    notices: noNotices,
    silenceMs: SILENCE_MS,
    cutOff: () => {},
    async close() {
      await analytics.destroy()
      await db.destroy()
    },
  }
}

/** A server that does not take the call in this time is away; a free connection of the pool may be waited for longer. */
const CALL_MS = 5_000

class PatientClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super({
      ...(typeof config === 'string' ? { connectionString: config } : config),
      connectionTimeoutMillis: CALL_MS,
    })
  }
}

/** Integers and JSON come back as SQLite gives them: numbers, and JSON as text. */
const INT8 = 20
const NUMERIC = 1700
const JSON_TYPES = new Set([114, 3802])

function openPostgres(options: {
  url: string
  analyticsUrl?: string
  poolSize?: number
  silenceMs?: number
  vault?: Vault
}): Database {
  const { silenceMs = SILENCE_MS } = options
  const guardSession = sessionGuard(silenceMs)
  const { vault = new Vault() } = options
  const types = {
    getTypeParser(oid: number, format?: 'text' | 'binary') {
      if (oid === INT8 || oid === NUMERIC) return Number
      if (JSON_TYPES.has(oid)) return (text: string) => text
      return pg.types.getTypeParser(oid, format as 'text')
    },
  } as pg.CustomTypesConfig
  const clients = new Set<pg.Client>()
  const notices = new PostgresNotices(options.url)
  const connect = (connectionString: string, max: number, parsers?: pg.CustomTypesConfig) => {
    const pool = new pg.Pool({
      connectionString,
      max,
      keepAlive: true,
      Client: PatientClient,
      // oxlint-disable-next-line typescript/no-misused-promises -- the pool waits for it, whatever its types say
      onConnect: guardSession,
      ...(parsers ? { types: parsers } : {}),
    })
    // An idle connection that breaks is replaced at the next use; without a listener it would end the process.
    pool.on('error', () => {})
    pool.on('connect', (client) => void clients.add(client as pg.Client))
    pool.on('remove', (client) => void clients.delete(client as pg.Client))
    return pool
  }
  const main = connect(options.url, options.poolSize ?? 10, types)
  const long = connect(
    options.analyticsUrl ?? options.url,
    Math.max(2, Math.floor((options.poolSize ?? 10) / 3)),
    types,
  )
  const db = withSealing(new Kysely<Tables>({ dialect: new PostgresDialect({ pool: main }) }), vault)
  const analytics = withSealing(new Kysely<Tables>({ dialect: new PostgresDialect({ pool: long }) }), vault)
  return {
    engine: 'postgres',
    db,
    analytics,
    vault,
    async readColumns(query, kinds) {
      const { sql, parameters } = query.compile()
      const result = await long.query({ text: sql, values: [...parameters], rowMode: 'array' })
      const builders = kinds.map((kind) => new VectorBuilder(kind))
      for (const row of result.rows as unknown[][]) {
        for (let column = 0; column < builders.length; column++) builders[column]?.push(row[column])
      }
      const vectors = builders.map((builder) => builder.build())
      return await opened(vault, { vectors, count: result.rows.length })
    },
    notices,
    silenceMs,
    openPool: (max) => connect(options.url, max),
    cutOff() {
      for (const client of clients) cut(client)
    },
    async close() {
      await notices.close()
      await db.destroy()
      await analytics.destroy()
    },
  }
}

/**
 * Lets the server end what a node leaves behind that is paused or cut off: its open transaction would hold locks that
 * every other node waits for, and nothing that a transaction does keeps it waiting for the process for so long. And a
 * stage looks up a hundred rows in tables of thousands and more: PostgreSQL reckons with disks that seek, and would read
 * such a table from end to end for them. Engines that only speak PostgreSQL's language may not know these settings.
 */
function sessionGuard(silenceMs: number) {
  const settings = [
    `idle_in_transaction_session_timeout = ${Math.round(silenceMs * 0.8)}`,
    `tcp_user_timeout = ${Math.round(silenceMs * 1.3)}`,
    'random_page_cost = 1.1',
  ]
  return async (client: pg.ClientBase): Promise<void> => {
    // Whoever waits for an answer is told that the connection broke; nobody to hear it besides would end the process.
    client.on('error', () => {})
    for (const setting of settings) await client.query(`set ${setting}`).catch(() => {})
  }
}

/** Columns with everything sealed in them opened. */
async function opened(
  vault: Vault,
  { vectors, count }: { vectors: ColumnVector[]; count: number },
): Promise<{ vectors: ColumnVector[]; count: number }> {
  const dictionaries = vectors.map((vector) =>
    vector.kind === 'text' && vault.isSealedIn(vector.dictionary) ? { ...vector.dictionary } : undefined,
  )
  await vault.openRows(dictionaries)
  return {
    count,
    vectors: vectors.map((vector, column) => {
      const words = dictionaries[column]
      return vector.kind === 'text' && words
        ? toTextVector(Array.from(vector.indexes, (index) => words[index]))
        : vector
    }),
  }
}
