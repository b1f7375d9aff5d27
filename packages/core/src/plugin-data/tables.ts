import { jsonType } from '../db/columns.ts'
import type { Migrations } from '../db/migrate.ts'

export interface PluginDataTables {
  /** What plugins store, by key. */
  plugin_storage: { plugin_id: string; key: string; value: string; size: number; updated_at: number }
  /** Secrets that plugins store, sealed. */
  plugin_secrets: { plugin_id: string; key: string; sealed: string; updated_at: number }
  /** Permissions that a version of a plugin has made use of. */
  plugin_permission_uses: { plugin_id: string; version: string; permission: string; used_at: number }
}

export const pluginDataMigrations: Migrations = {
  '0088_plugin_data': {
    async up(db) {
      await db.schema
        .createTable('plugin_storage')
        .addColumn('plugin_id', 'text', (column) => column.notNull())
        .addColumn('key', 'text', (column) => column.notNull())
        .addColumn('value', jsonType(db), (column) => column.notNull())
        .addColumn('size', 'bigint', (column) => column.notNull())
        .addColumn('updated_at', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('plugin_storage_pk', ['plugin_id', 'key'])
        .execute()
      await db.schema
        .createTable('plugin_secrets')
        .addColumn('plugin_id', 'text', (column) => column.notNull())
        .addColumn('key', 'text', (column) => column.notNull())
        .addColumn('sealed', 'text', (column) => column.notNull())
        .addColumn('updated_at', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('plugin_secrets_pk', ['plugin_id', 'key'])
        .execute()
      await db.schema
        .createTable('plugin_permission_uses')
        .addColumn('plugin_id', 'text', (column) => column.notNull())
        .addColumn('version', 'text', (column) => column.notNull())
        .addColumn('permission', 'text', (column) => column.notNull())
        .addColumn('used_at', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('plugin_permission_uses_pk', ['plugin_id', 'version', 'permission'])
        .execute()
    },
  },
}
