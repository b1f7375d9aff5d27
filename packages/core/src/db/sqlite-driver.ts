import type Sqlite from 'better-sqlite3'
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'

/** Statements kept prepared; the hot ones are a few dozen. */
const STATEMENT_CACHE = 200

/**
 * Kysely dialect over one better-sqlite3 connection. Kysely's own prepares a statement at every call and begins
 * transactions as readers, which fails on upgrade when another process writes; this one caches statements and
 * takes the write lock at `begin`.
 */
export function sqliteDialect(open: () => Sqlite.Database): Dialect {
  return {
    createAdapter: () => new TransactionalAdapter(),
    createDriver: () => new WriterDriver(open),
    createIntrospector: (db: Kysely<unknown>) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
}

/** SQLite rolls schema changes back like any other; Kysely's adapter only does not promise it. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

class WriterDriver implements Driver {
  readonly #open: () => Sqlite.Database
  #connection!: WriterConnection
  #database!: Sqlite.Database
  /** Resolves when the present holder lets go: transactions and single queries take turns. */
  #turn: Promise<void> = Promise.resolve()
  #release = new WeakMap<object, () => void>()

  constructor(open: () => Sqlite.Database) {
    this.#open = open
  }

  async init(): Promise<void> {
    this.#database = this.#open()
    this.#connection = new WriterConnection(this.#database)
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    const before = this.#turn
    let release!: () => void
    this.#turn = new Promise((resolve) => (release = resolve))
    await before
    // A handle per acquisition, so that a double release cannot free someone else's turn.
    const handle = Object.create(this.#connection) as WriterConnection
    this.#release.set(handle, release)
    return handle
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    this.#release.get(connection)?.()
    this.#release.delete(connection)
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'))
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    // SQLite rolls back by itself on some errors (disk full); a second rollback would hide the first error.
    if (this.#database.inTransaction) await connection.executeQuery(CompiledQuery.raw('rollback'))
  }

  async destroy(): Promise<void> {
    this.#database?.close()
  }
}

/** In place of a query's parameters: runs it once for each row, and answers the positions of rows that changed something. */
export class EachRow {
  readonly rows: readonly unknown[][]

  constructor(rows: readonly unknown[][]) {
    this.rows = rows
  }
}

class WriterConnection implements DatabaseConnection {
  // Not private fields: handles are made with Object.create and read these through the prototype.
  readonly database: Sqlite.Database
  readonly statements = new Map<string, Sqlite.Statement>()

  constructor(database: Sqlite.Database) {
    this.database = database
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const statement = this.prepare(query.sql)
    const [first] = query.parameters
    if (first instanceof EachRow) return { rows: runEach(statement, first) as R[] }
    if (statement.reader) return { rows: statement.all(query.parameters) as R[] }
    const { changes, lastInsertRowid } = statement.run(query.parameters)
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) }
  }

  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    for (const row of this.database.prepare(query.sql).iterate(query.parameters)) yield { rows: [row as R] }
  }

  prepare(sql: string): Sqlite.Statement {
    const known = this.statements.get(sql)
    if (known) {
      this.statements.delete(sql)
      this.statements.set(sql, known)
      return known
    }
    const statement = this.database.prepare(sql)
    this.statements.set(sql, statement)
    if (this.statements.size > STATEMENT_CACHE) {
      const oldest = this.statements.keys().next().value
      if (oldest !== undefined) this.statements.delete(oldest)
    }
    return statement
  }
}

function runEach(statement: Sqlite.Statement, { rows }: EachRow): number[] {
  const changed: number[] = []
  for (let position = 0; position < rows.length; position++) {
    if (statement.run(rows[position]).changes > 0) changed.push(position)
  }
  return changed
}
