import { createRequire } from 'node:module'
import type * as KyselyModule from 'kysely'
import type { CompiledQuery, DatabaseConnection, Kysely, RootOperationNode } from 'kysely'

/** Sends a query to the server and answers its rows. */
export type SendQuery = (tree: RootOperationNode) => Promise<Record<string, unknown>[]>

/**
 * A Kysely that writes no SQL: what is built goes to the server as the tree it is, which checks and runs it there.
 * Loaded at first use, for it is large and few plugins query.
 */
export function createPluginDb(send: SendQuery): Kysely<any> {
  const { Kysely, SqliteAdapter, DummyDriver } = createRequire(import.meta.url)(
    'kysely',
  ) as typeof KyselyModule
  const connection: DatabaseConnection = {
    executeQuery: async <R>({ query }: CompiledQuery) => ({ rows: (await send(query)) as R[] }),
    // eslint-disable-next-line require-yield -- the interface wants a generator, answers come whole
    async *streamQuery(): AsyncIterableIterator<never> {
      throw new Error('Queries of plugins answer whole; page with a key instead')
    },
  }
  class TreeDriver extends DummyDriver {
    override async acquireConnection(): Promise<DatabaseConnection> {
      return connection
    }
    override async beginTransaction(): Promise<void> {
      throw new Error('Plugins can only select; there are no transactions')
    }
  }
  return new Kysely<any>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new TreeDriver(),
      createIntrospector: () => {
        throw new Error('huitou.db does not describe itself; see the reference of published views')
      },
      createQueryCompiler: () => ({
        compileQuery: (query, queryId) => ({ query, queryId, sql: '', parameters: [] }),
      }),
    },
  })
}
