import type { Migrations } from '../db/migrate.ts'

export interface BulkTables {
  /** Whom something is done to, and what has become of it. Never more than was confirmed. */
  bulk_targets: {
    /** One thing done to many. */
    run: string
    /** Customer id at the time; who that is now the identifiers say. */
    customer_id: number
    state: BulkState
    attempts: number
    /** A word that says why not. */
    reason: string | null
    created_at: number
  }
}

/** `unknown`: it was under way when the server fell, and may not be done twice. `gone`: nobody of that name is left. */
export type BulkState = 'planned' | 'begun' | 'done' | 'failed' | 'unknown' | 'gone' | 'merged'

export const bulkMigrations: Migrations = {
  '0160_bulk_actions': {
    async up(db) {
      await db.schema
        .createTable('bulk_targets')
        .addColumn('run', 'text', (column) => column.notNull())
        .addColumn('customer_id', 'bigint', (column) => column.notNull())
        .addColumn('state', 'text', (column) => column.notNull())
        .addColumn('attempts', 'integer', (column) => column.notNull())
        .addColumn('reason', 'text')
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('bulk_targets_pk', ['run', 'customer_id'])
        .execute()
      await db.schema
        .createIndex('bulk_targets_state')
        .on('bulk_targets')
        .columns(['run', 'state', 'attempts', 'customer_id'])
        .execute()
    },
  },
}
