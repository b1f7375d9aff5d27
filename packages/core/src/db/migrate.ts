import { AppError } from '@huitou/plugin-api'
import { type Migration, Migrator } from 'kysely/migration'
import type { Database } from './database.ts'

/** Migrations by name; names sort in the order they run. */
export type Migrations = Record<string, Migration>

/**
 * Brings the tables of one owner (the core, or a plugin) to their latest form. Each owner has a migration table
 * of its own, so that one's new migration never stands before another's old one. A failed migration leaves the
 * schema as it was and throws `E_MIGRATION_FAILED`; a database from a newer version throws `E_DATABASE_NEWER`.
 */
export async function migrate(
  { db }: Pick<Database, 'db'>,
  owner: string,
  migrations: Migrations,
): Promise<string[]> {
  const table = `huitou_migrations_${owner.replaceAll(/[^a-z0-9]/g, '_')}`
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => migrations },
    migrationTableName: table,
    migrationLockTableName: `${table}_lock`,
    // Two changes written side by side may arrive in either order; each stands on its own tables.
    allowUnorderedMigrations: true,
  })
  const { error, results } = await migrator.migrateToLatest()
  if (error) {
    const message = error instanceof Error ? error.message : String(error)
    if (/missing|corrupted/i.test(message)) {
      throw new AppError(
        'user',
        'E_DATABASE_NEWER',
        `The database was written by a newer version (${owner}: ${message})`,
        {
          hint: 'Start the version that wrote it, or restore a backup made before the upgrade.',
          cause: error,
        },
      )
    }
    const failed = results?.find((result) => result.status === 'Error')
    throw new AppError(
      'world',
      'E_MIGRATION_FAILED',
      `Migration ${failed?.migrationName ?? '?'} of ${owner} failed: ${message}`,
      {
        hint: 'Nothing was changed. Check disk space and rights, then start again.',
        cause: error,
      },
    )
  }
  return results?.filter((result) => result.status === 'Success').map((result) => result.migrationName) ?? []
}
