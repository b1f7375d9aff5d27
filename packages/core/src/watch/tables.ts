import { type Generated, sql } from 'kysely'
import { autoIncrement } from '../db/columns.ts'
import type { Migrations } from '../db/migrate.ts'

export type Severity = 'warning' | 'critical'

export interface WatchTables {
  alerts: {
    id: Generated<number>
    /** Rule that raised it. */
    kind: string
    /** What it is about: a stage, a channel account, a plugin; empty when there is only one of it. */
    subject: string
    severity: Severity
    /** Figures for its text, JSON. Names of things, never of people. */
    details: string
    raised_at: number
    /** When its condition was met last. */
    seen_at: number
    resolved_at: number | null
    acknowledged_at: number | null
    acknowledged_by: string | null
    note: string | null
    /** When it was told to the address in the settings; NULL until then. */
    told_at: number | null
  }
  /** How much of something came in an hour, to know what is usual. */
  watch_hours: { kind: string; hour: number; count: number }
}

export const watchMigrations: Migrations = {
  '0260_watch': {
    async up(db) {
      await db.schema
        .createTable('alerts')
        .$call(autoIncrement(db, 'id'))
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('subject', 'text', (column) => column.notNull())
        .addColumn('severity', 'text', (column) => column.notNull())
        .addColumn('details', 'text', (column) => column.notNull())
        .addColumn('raised_at', 'bigint', (column) => column.notNull())
        .addColumn('seen_at', 'bigint', (column) => column.notNull())
        .addColumn('resolved_at', 'bigint')
        .addColumn('acknowledged_at', 'bigint')
        .addColumn('acknowledged_by', 'text')
        .addColumn('note', 'text')
        .addColumn('told_at', 'bigint')
        .execute()
      await db.schema
        .createIndex('alerts_open')
        .on('alerts')
        .columns(['kind', 'subject'])
        .unique()
        .where(sql.ref('resolved_at'), 'is', null)
        .execute()
      await db.schema
        .createTable('watch_hours')
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('hour', 'bigint', (column) => column.notNull())
        .addColumn('count', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('watch_hours_pk', ['kind', 'hour'])
        .execute()
    },
  },
}
