import { CompiledQuery, createQueryId, PostgresQueryCompiler, SqliteQueryCompiler } from 'kysely'
import { AppError } from '@huitou/plugin-api'
import type { CoreContext } from '../context.ts'
import type { Database } from '../db/database.ts'
import type { Need, Reader } from '../points/grants.ts'
import {
  ANSWER_LIMIT,
  deadlineError,
  largeError,
  queryError,
  refusedError,
  ROW_LIMIT,
} from './query-limits.ts'
import { QueryProcesses } from './query-processes.ts'
import { QueryTurns } from './query-turns.ts'
import { translateQuery } from './translate-query.ts'
import type { PublishedViews } from './views.ts'

export type Row = Record<string, string | number | null>

export interface QueryOptions {
  signal?: AbortSignal
  /** {@link QUERY_DEADLINE_MS} if absent. */
  deadlineMs?: number
  /** Told what the query makes use of, before it runs. */
  onUse?: (needs: Need[]) => void
}

export const QUERY_DEADLINE_MS = 10_000
/** Queries of plugins at once; reports and segments have connections of their own to read with. */
const AT_ONCE = 2
/** Rows fetched at a time, so that an answer that grows too large is noticed while it does. */
const FETCH = 1_000

const compilers = { sqlite: SqliteQueryCompiler, postgres: PostgresQueryCompiler }

/** Runs queries that plugins sent as trees. */
export class PluginQueries {
  readonly #context: Pick<CoreContext, 'database' | 'log'>
  readonly #views: PublishedViews
  readonly #turns = new QueryTurns(AT_ONCE)
  #processes: QueryProcesses | undefined

  constructor(context: Pick<CoreContext, 'database' | 'log'>, views: PublishedViews) {
    this.#context = context
    this.#views = views
  }

  /**
   * Rows of the query, the same on both databases: truth values are 1 and 0. Throws `E_PERMISSION` for a column or
   * row that the plugin was not granted, `E_QUERY` for what plugins cannot ask, and `E_QUERY_DEADLINE`.
   */
  async run(reader: Reader, tree: unknown, options: QueryOptions = {}): Promise<Row[]> {
    const { engine } = this.#context.database
    const { node, needs } = translateQuery(tree, {
      reader,
      engine,
      vault: this.#context.database.vault,
      views: await this.#views.of(reader),
    })
    options.onUse?.(needs)
    const query = new compilers[engine]().compileQuery(node, createQueryId())
    return await this.#turns.take(reader.id, async () => {
      const rows = await this.#execute(query, options).catch((error: unknown) => {
        throw this.#logged(reader, error)
      })
      // A process that runs queries has no keys: what the reader was granted is opened here.
      await this.#context.database.vault.openRows(rows)
      if (rows.length <= ROW_LIMIT) return rows.map(toRow)
      throw queryError(
        `The query answers more than ${ROW_LIMIT} rows`,
        'Add limit(…), page by a key, or aggregate.',
      )
    })
  }

  /** Ends processes that wait for a query; the next one starts another. */
  close(): void {
    this.#processes?.close()
    this.#processes = undefined
  }

  async #execute(
    query: CompiledQuery,
    { signal = new AbortController().signal, deadlineMs = QUERY_DEADLINE_MS }: QueryOptions,
  ): Promise<Record<string, unknown>[]> {
    const { database } = this.#context
    if (database.engine === 'postgres') return await runOnPostgres(database, query, { signal, deadlineMs })
    this.#processes ??= new QueryProcesses(await sqliteFile(database))
    return await this.#processes.run(query, { rowLimit: ROW_LIMIT + 1, deadlineMs, signal })
  }

  /** What the database said stays here. */
  #logged(reader: Reader, error: unknown): unknown {
    if (!(error instanceof AppError) || !(error.cause instanceof Error)) return error
    this.#context.log.warn({ plugin: reader.id, reason: error.cause.message }, 'A query of a plugin failed')
    return new AppError(error.kind, error.code, error.message, {
      status: error.status,
      ...(error.hint ? { hint: error.hint } : {}),
    })
  }
}

async function sqliteFile({ db }: Database): Promise<string> {
  const { rows } = await db.executeQuery<{ name: string; file: string }>(
    CompiledQuery.raw('pragma database_list'),
  )
  return rows.find(({ name }) => name === 'main')?.file ?? ''
}

/** Reads through a cursor in a transaction that cannot write and that the server ends when time is up. */
async function runOnPostgres(
  { analytics }: Database,
  query: CompiledQuery,
  { signal, deadlineMs }: { signal: AbortSignal; deadlineMs: number },
): Promise<Record<string, unknown>[]> {
  const until = performance.now() + deadlineMs
  return await analytics.connection().execute(async (connection) => {
    const run = async (sql: string, parameters: readonly unknown[] = []) =>
      (await connection.executeQuery<Record<string, unknown>>(CompiledQuery.raw(sql, [...parameters]))).rows
    await run('begin transaction read only')
    const [backend] = await run('select pg_backend_pid() as pid')
    const cancel = () => {
      void analytics
        .executeQuery(CompiledQuery.raw('select pg_cancel_backend($1)', [backend?.['pid']]))
        .catch(() => {})
    }
    signal.addEventListener('abort', cancel, { once: true })
    const limitTime = () =>
      run(`set local statement_timeout = ${Math.max(1, Math.ceil(until - performance.now()))}`)
    try {
      signal.throwIfAborted()
      await run('set local cursor_tuple_fraction = 1')
      await limitTime()
      await run(`declare answer no scroll cursor for ${query.sql}`, query.parameters)
      const rows: Record<string, unknown>[] = []
      let size = 0
      for (;;) {
        await limitTime()
        const batch = await run(`fetch ${FETCH} from answer`)
        for (const row of batch) {
          rows.push(row)
          for (const value of Object.values(row)) size += typeof value === 'string' ? value.length : 8
        }
        if (size > ANSWER_LIMIT) throw largeError()
        if (batch.length < FETCH) return rows
      }
    } catch (error) {
      if (signal.aborted) throw signal.reason
      throw toQueryError(error, deadlineMs)
    } finally {
      signal.removeEventListener('abort', cancel)
      await run('rollback')
    }
  })
}

/** PostgreSQL's codes: a cancelled statement, and everything that is wrong with the query itself. */
const CANCELLED = '57014'
const OF_THE_QUERY = /^(?:42|22|54|0A|21)/

function toQueryError(error: unknown, deadlineMs: number): unknown {
  const code = (error as { code?: unknown }).code
  if (error instanceof AppError || typeof code !== 'string') return error
  if (code === CANCELLED) return deadlineError(deadlineMs)
  return OF_THE_QUERY.test(code) ? refusedError((error as Error).message) : error
}

function toRow(row: Record<string, unknown>): Row {
  const entries = Object.entries(row).map(([name, value]) => [
    name,
    typeof value === 'boolean' ? Number(value) : typeof value === 'bigint' ? Number(value) : value,
  ])
  return Object.fromEntries(entries) as Row
}
