import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'

/** A Kysely whose queries only make trees, as a plugin's does. */
export function treesOf(): Kysely<any> {
  return new Kysely<any>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  })
}

/** The tree as it arrives from another process. */
export function plain(query: { toOperationNode(): unknown }): unknown {
  return structuredClone(query.toOperationNode())
}
