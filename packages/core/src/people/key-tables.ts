import { sql } from 'kysely'
import type { Migrations } from '../db/migrate.ts'

export interface KeyTables {
  /** Keys that seal personal data, each sealed under the installation's secret. The newest seals, all open. */
  personal_keys: { id: string; sealed: string; created_at: number }
  /** How far the job has come that seals what older keys sealed, or nobody did; one row for each table. */
  sealing_progress: {
    name: string
    /** The key under which the table is sealed once `done` is 1. */
    key_id: string
    /** Last row looked at: its key, JSON. */
    position: string
    changed: number
    done: number
  }
}

export const keyMigrations: Migrations = {
  '0220_personal_keys': {
    async up(db) {
      await db.schema
        .createTable('personal_keys')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('sealed', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .execute()
      await db.schema
        .createTable('sealing_progress')
        .addColumn('name', 'text', (column) => column.primaryKey())
        .addColumn('key_id', 'text', (column) => column.notNull())
        .addColumn('position', 'text', (column) => column.notNull())
        .addColumn('changed', 'bigint', (column) => column.notNull())
        .addColumn('done', 'integer', (column) => column.notNull())
        .execute()
    },
  },
  '0221_identifier_lookup': {
    async up(db) {
      await db.schema.alterTable('identifiers').addColumn('lookup', 'text').execute()
      await db.schema.alterTable('identifiers').addColumn('tail', 'text').execute()
      // What is not sealed is looked up by its value: rows from before need not be touched here.
      await sql`create unique index identifiers_lookup on identifiers (coalesce(lookup, value), kind)`.execute(
        db,
      )
      await sql`create index identifiers_tail on identifiers (tail) where tail is not null`.execute(db)
      await db.schema.dropIndex('identifiers_value').execute()
    },
  },
}
