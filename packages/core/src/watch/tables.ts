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
  /** What each target has been told of which alert, or is to be told. */
  alert_notices: {
    alert_id: number
    state: 'raised' | 'resolved'
    /** `mail:<address>` of somebody who works here, or `webhook`. */
    target: string
    at: number
    /** Not to be tried before. */
    due_at: number
    /** The same for everything that went out in one message; NULL until then. */
    sent_at: number | null
    tries: Generated<number>
    tried_at: number | null
    /** What the last attempt failed of. */
    error: string | null
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
  '0420_alert_notices': {
    async up(db) {
      await db.schema
        .createTable('alert_notices')
        .addColumn('alert_id', 'bigint', (column) => column.notNull())
        .addColumn('state', 'text', (column) => column.notNull())
        .addColumn('target', 'text', (column) => column.notNull())
        .addColumn('at', 'bigint', (column) => column.notNull())
        .addColumn('due_at', 'bigint', (column) => column.notNull())
        .addColumn('sent_at', 'bigint')
        .addColumn('tries', 'integer', (column) => column.notNull().defaultTo(0))
        .addColumn('tried_at', 'bigint')
        .addColumn('error', 'text')
        .addPrimaryKeyConstraint('alert_notices_pk', ['alert_id', 'target', 'state'])
        .execute()
      await db.schema
        .createIndex('alert_notices_target')
        .on('alert_notices')
        .columns(['target', 'sent_at'])
        .execute()
    },
  },
}
