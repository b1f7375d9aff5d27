import { type Generated, type Kysely, sql } from 'kysely'
import type { Migrations } from '../db/migrate.ts'
import { autoIncrement, jsonType } from '../db/columns.ts'
import { engineOf } from '../db/rows.ts'

/**
 * The wished set: which plugins this installation wants to run, in which version, with which settings and grants.
 * JSON columns hold what `queries.ts` says; secrets stand here sealed.
 */
export interface PluginStateTables {
  plugins: {
    id: string
    /** NULL when the files come with the process: bundled, or a folder of somebody who is writing one. */
    version: string | null
    digest: string | null
    source: string
    /** `kept`: uninstalled, with its data left for when it comes back. */
    state: 'installed' | 'kept'
    enabled: number
    trusted: number
    settings: string
    /** Why the last upgrade was taken back, until one succeeds. */
    fault: string | null
    installed_at: number | null
    installed_by: string | null
    updated_at: number
  }
  /** Versions whose files lie side by side, each with what was granted to it. */
  plugin_versions: {
    plugin_id: string
    version: string
    digest: string
    signature: string
    /** NULL until somebody decided. */
    grants: string | null
    /** Somebody said that it may run although nobody vouches for it. */
    allowed: number
    installed_at: number
    installed_by: string
  }
  plugin_upgrades: {
    id: Generated<number>
    plugin_id: string
    from_version: string
    to_version: string
    /** `trial`: the new version is being tried. A process that starts and finds one takes it back. */
    state: 'trial' | 'done' | 'rolled_back'
    snapshot: string
    reason: string | null
    started_at: number
    started_by: string
    settled_at: number | null
  }
  /** What a candidate version came to beside the one in force, the last time it was tried. */
  plugin_drifts: {
    plugin_id: string
    version: string
    against: string
    at: number
    drift: string
  }
  /** Archives as they were installed, for nodes whose folder does not have them; PostgreSQL only. */
  plugin_archives: { plugin_id: string; version: string; digest: string; bytes: Buffer }
  plugin_registries: { id: string; kind: string; title: string; options: string; added_at: number }
  plugin_publishers: {
    key_id: string
    publisher: string
    public_key: string
    added_at: number
    added_by: string
  }
}

export const pluginStateMigrations: Migrations = {
  '0080_plugins': {
    async up(db) {
      await createWishedSet(db)
      await createUpgrades(db)
      await createSources(db)
      await moveFormerStates(db)
    },
  },
  '0282_plugin_archives': {
    async up(db) {
      await db.schema
        .createTable('plugin_archives')
        .addColumn('plugin_id', 'text', (column) => column.notNull())
        .addColumn('version', 'text', (column) => column.notNull())
        .addColumn('digest', 'text', (column) => column.notNull())
        .addColumn('bytes', engineOf(db) === 'postgres' ? 'bytea' : 'blob', (column) => column.notNull())
        .addPrimaryKeyConstraint('plugin_archives_key', ['plugin_id', 'version'])
        .execute()
    },
  },
}

async function createWishedSet(db: Kysely<any>): Promise<void> {
  await db.schema
    .createTable('plugins')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('version', 'text')
    .addColumn('digest', 'text')
    .addColumn('source', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('enabled', 'integer', (column) => column.notNull())
    .addColumn('trusted', 'integer', (column) => column.notNull())
    .addColumn('settings', 'text', (column) => column.notNull())
    .addColumn('fault', 'text')
    .addColumn('installed_at', 'bigint')
    .addColumn('installed_by', 'text')
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('plugin_versions')
    .addColumn('plugin_id', 'text', (column) => column.notNull())
    .addColumn('version', 'text', (column) => column.notNull())
    .addColumn('digest', 'text', (column) => column.notNull())
    .addColumn('signature', 'text', (column) => column.notNull())
    .addColumn('grants', 'text')
    .addColumn('allowed', 'integer', (column) => column.notNull())
    .addColumn('installed_at', 'bigint', (column) => column.notNull())
    .addColumn('installed_by', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('plugin_versions_key', ['plugin_id', 'version'])
    .execute()
}

async function createUpgrades(db: Kysely<any>): Promise<void> {
  await db.schema
    .createTable('plugin_upgrades')
    .$call(autoIncrement(db, 'id'))
    .addColumn('plugin_id', 'text', (column) => column.notNull())
    .addColumn('from_version', 'text', (column) => column.notNull())
    .addColumn('to_version', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('snapshot', jsonType(db), (column) => column.notNull())
    .addColumn('reason', 'text')
    .addColumn('started_at', 'bigint', (column) => column.notNull())
    .addColumn('started_by', 'text', (column) => column.notNull())
    .addColumn('settled_at', 'bigint')
    .execute()
  await db.schema
    .createIndex('plugin_upgrades_plugin')
    .on('plugin_upgrades')
    .columns(['plugin_id', 'id'])
    .execute()
  await db.schema
    .createTable('plugin_drifts')
    .addColumn('plugin_id', 'text', (column) => column.primaryKey())
    .addColumn('version', 'text', (column) => column.notNull())
    .addColumn('against', 'text', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('drift', jsonType(db), (column) => column.notNull())
    .execute()
}

async function createSources(db: Kysely<any>): Promise<void> {
  await db.schema
    .createTable('plugin_registries')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('title', 'text', (column) => column.notNull())
    .addColumn('options', 'text', (column) => column.notNull())
    .addColumn('added_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('plugin_publishers')
    .addColumn('key_id', 'text', (column) => column.primaryKey())
    .addColumn('publisher', 'text', (column) => column.notNull())
    .addColumn('public_key', 'text', (column) => column.notNull())
    .addColumn('added_at', 'bigint', (column) => column.notNull())
    .addColumn('added_by', 'text', (column) => column.notNull())
    .execute()
}

async function moveFormerStates(db: Kysely<any>): Promise<void> {
  // Everything known so far came with the process; what was decided about it stays.
  await db
    .insertInto('plugins')
    .columns(['id', 'source', 'state', 'enabled', 'trusted', 'settings', 'updated_at'])
    .expression(
      db
        .selectFrom('plugin_states')
        .select([
          'id',
          sql.lit('{"kind":"process"}').as('source'),
          sql.lit('installed').as('state'),
          'enabled',
          sql.lit(1).as('trusted'),
          'settings',
          'updated_at',
        ]),
    )
    .execute()
  await db.schema.dropTable('plugin_states').execute()
  // Which registry that is, the owner's npm configuration says; nothing is asked before somebody searches.
  await db
    .insertInto('plugin_registries')
    .values({ id: 'npm', kind: 'npm', title: 'npm', options: '{}', added_at: 0 })
    .execute()
}
