import { AppError } from '@huitou/plugin-api'
import { sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { type Database, transact } from './database.ts'

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
  const table = tableOf(owner)
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

/** Where the tables of one owner stand. */
export interface MigrationPlan {
  /** In the order they ran. */
  applied: string[]
  /** Would run at the next start. */
  pending: string[]
  /** Ran here, and this version does not know them: a newer one wrote the database. */
  unknown: string[]
}

/** Says which migrations of an owner ran and which would, and changes nothing. */
export async function planMigrations(
  { db }: Pick<Database, 'db'>,
  owner: string,
  migrations: Migrations,
): Promise<MigrationPlan> {
  const known = Object.keys(migrations).toSorted()
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true })
  const table = tableOf(owner)
  if (!tables.some(({ name }) => name === table)) return { applied: [], pending: known, unknown: [] }
  const { rows } = await sql<{ name: string }>`select name from ${sql.table(table)} order by name`.execute(db)
  const applied = rows.map(({ name }) => name)
  return {
    applied,
    pending: known.filter((name) => !applied.includes(name)),
    unknown: applied.filter((name) => !known.includes(name)),
  }
}

/** Others are kept waiting by a trial no longer than this before it gives up. */
const TRIAL_LOCK = '5s'

/**
 * Runs what is pending on PostgreSQL and takes it back, all in one transaction. Throws what a migration threw, or that
 * somebody else holds its tables.
 */
export async function tryMigrations(
  { db }: Pick<Database, 'db'>,
  { pending }: MigrationPlan,
  migrations: Migrations,
): Promise<void> {
  const takenBack = new Error('taken back')
  await transact(db, async (tx) => {
    await sql`select set_config('lock_timeout', ${TRIAL_LOCK}, true)`.execute(tx)
    for (const name of pending) await migrations[name]?.up(tx)
    throw takenBack
  }).catch((error: unknown) => {
    if (error !== takenBack) throw error
  })
}

function tableOf(owner: string): string {
  return `huitou_migrations_${owner.replaceAll(/[^a-z0-9]/g, '_')}`
}
