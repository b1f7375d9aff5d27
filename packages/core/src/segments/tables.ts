import { type Generated, sql } from 'kysely'
import { autoIncrement } from '../db/columns.ts'
import type { Migrations } from '../db/migrate.ts'
import { engineOf } from '../db/rows.ts'

export interface SegmentTables {
  segments: {
    id: string
    name: string
    /** `dynamic` follows its rule; `builtin` is a plugin's label; `static` is a list. */
    kind: 'dynamic' | 'builtin' | 'static'
    /** Plugin name, or who made it. */
    owner: string
    /** Rule as JSON; NULL for a static list. */
    rule: string | null
    created_at: number
    updated_at: number
    /** Business day of the last full evaluation. */
    evaluated_day: number | null
    member_count: Generated<number>
    /** Why the rule cannot be evaluated now, JSON; its members stay as they were. */
    error: string | null
    /** 0 while the plugin it comes from is disabled. */
    active: Generated<number>
    /** `{ title, color, group }` of a plugin's label, JSON. */
    display: string | null
  }
  segment_members: { segment_id: string; customer_id: number; entered_at: number }
  /** Entering and leaving, in order: the log that journeys will follow. */
  segment_changes: {
    seq: Generated<number>
    segment_id: string
    customer_id: number
    at: number
    entered: number
    tx: Generated<number>
  }
  segment_days: { segment_id: string; day: number; count: number; entered: number; left: number }
}

export const segmentMigrations: Migrations = {
  '0050_segments': {
    async up(db) {
      await db.schema
        .createTable('segments')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('owner', 'text', (column) => column.notNull())
        .addColumn('rule', 'text')
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('updated_at', 'bigint', (column) => column.notNull())
        .addColumn('evaluated_day', 'integer')
        .addColumn('member_count', 'bigint', (column) => column.notNull().defaultTo(0))
        .addColumn('error', 'text')
        .addColumn('active', 'integer', (column) => column.notNull().defaultTo(1))
        .addColumn('display', 'text')
        .execute()
      await db.schema
        .createTable('segment_members')
        .addColumn('segment_id', 'text', (column) => column.notNull())
        .addColumn('customer_id', 'bigint', (column) => column.notNull())
        .addColumn('entered_at', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('segment_members_pk', ['segment_id', 'customer_id'])
        // SQLite: the rows are the index, which halves what a million memberships take.
        .$call((table) => (engineOf(db) === 'sqlite' ? table.modifyEnd(sql`without rowid`) : table))
        .execute()
      await db.schema
        .createIndex('segment_members_customer')
        .on('segment_members')
        .column('customer_id')
        .execute()
      await db.schema
        .createTable('segment_changes')
        .$call(autoIncrement(db, 'seq'))
        .addColumn('segment_id', 'text', (column) => column.notNull())
        .addColumn('customer_id', 'bigint', (column) => column.notNull())
        .addColumn('at', 'bigint', (column) => column.notNull())
        .addColumn('entered', 'integer', (column) => column.notNull())
        .addColumn('tx', 'bigint', (column) =>
          column
            .notNull()
            .defaultTo(engineOf(db) === 'postgres' ? sql`((pg_current_xact_id())::text)::bigint` : 0),
        )
        .execute()
      await db.schema
        .createIndex('segment_changes_customer')
        .on('segment_changes')
        .columns(['customer_id', 'segment_id'])
        .execute()
      await db.schema
        .createIndex('segment_changes_at')
        .on('segment_changes')
        .columns(['segment_id', 'at', 'entered'])
        .execute()
      await db.schema
        .createTable('segment_days')
        .addColumn('segment_id', 'text', (column) => column.notNull())
        .addColumn('day', 'integer', (column) => column.notNull())
        .addColumn('count', 'bigint', (column) => column.notNull())
        .addColumn('entered', 'bigint', (column) => column.notNull())
        .addColumn('left', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('segment_days_pk', ['segment_id', 'day'])
        .execute()
    },
  },
}
