import type { Generated } from 'kysely'
import type { Migrations } from '../db/migrate.ts'
import { autoIncrement } from '../db/columns.ts'

export interface SettingsTables {
  /** Settings by name, JSON values. Secrets never stand here. */
  settings: { name: string; value: string }
  /** Keys with which shops and sites send events; only a digest is kept. */
  write_keys: {
    id: string
    name: string
    digest: string
    tail: string
    created_at: number
    last_used_at: number | null
  }
  audit_log: {
    id: Generated<number>
    at: number
    user_id: string
    action: string
    subject: string
    details: string
    /** Mark of this entry and all before it. */
    hash: string
  }
}

export const settingsMigrations: Migrations = {
  '0000_settings': {
    async up(db) {
      await db.schema
        .createTable('cursors')
        .addColumn('name', 'text', (column) => column.primaryKey())
        .addColumn('position', 'bigint', (column) => column.notNull())
        .addColumn('details', 'text')
        .execute()
      await db.schema
        .createTable('settings')
        .addColumn('name', 'text', (column) => column.primaryKey())
        .addColumn('value', 'text', (column) => column.notNull())
        .execute()
      await db.schema
        .createTable('write_keys')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('digest', 'text', (column) => column.notNull().unique())
        .addColumn('tail', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('last_used_at', 'bigint')
        .execute()
      await db.schema
        .createTable('plugin_states')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('enabled', 'integer', (column) => column.notNull())
        .addColumn('settings', 'text', (column) => column.notNull())
        .addColumn('updated_at', 'bigint', (column) => column.notNull())
        .execute()
      await db.schema
        .createTable('audit_log')
        .$call(autoIncrement(db, 'id'))
        .addColumn('at', 'bigint', (column) => column.notNull())
        .addColumn('user_id', 'text', (column) => column.notNull())
        .addColumn('action', 'text', (column) => column.notNull())
        .addColumn('subject', 'text', (column) => column.notNull())
        .addColumn('details', 'text', (column) => column.notNull())
        .execute()
    },
  },
}
