import { sql } from 'kysely'
import type { Migrations } from '../db/migrate.ts'

export type JobState = 'queued' | 'running' | 'paused' | 'done' | 'failed' | 'cancelled'

export interface JobTables {
  jobs: {
    id: string
    kind: string
    /** At most one unfinished job has this key; NULL when any number may wait. */
    unique_key: string | null
    title: string
    state: JobState
    payload: string
    /** `{ done, total, unit }`, JSON. */
    progress: string
    result: string | null
    error: string | null
    attempts: number
    run_at: number
    /** The job is some worker's until then; a crashed worker's jobs are free again afterwards. */
    leased_until: number | null
    created_at: number
    started_at: number | null
    finished_at: number | null
    /** What a person asked for while it ran: `pause` or `cancel`. */
    wish: string | null
    /** Data folder whose files it needs; NULL for one that any worker can do. */
    place: string | null
    /** When a worker handed it to pg-boss; NULL for one that waits for that, and where jobs are handed round by their rows. */
    handed_at: number | null
  }
}

export const jobMigrations: Migrations = {
  '0060_jobs': {
    async up(db) {
      await db.schema
        .createTable('jobs')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('unique_key', 'text')
        .addColumn('title', 'text', (column) => column.notNull())
        .addColumn('state', 'text', (column) => column.notNull())
        .addColumn('payload', 'text', (column) => column.notNull())
        .addColumn('progress', 'text', (column) => column.notNull())
        .addColumn('result', 'text')
        .addColumn('error', 'text')
        .addColumn('attempts', 'integer', (column) => column.notNull())
        .addColumn('run_at', 'bigint', (column) => column.notNull())
        .addColumn('leased_until', 'bigint')
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('started_at', 'bigint')
        .addColumn('finished_at', 'bigint')
        .addColumn('wish', 'text')
        .execute()
      await db.schema.createIndex('jobs_due').on('jobs').columns(['state', 'run_at']).execute()
      await db.schema
        .createIndex('jobs_unique_key')
        .on('jobs')
        .column('unique_key')
        .unique()
        .where(sql.ref('state'), 'in', sql`('queued', 'running', 'paused')`)
        .execute()
    },
  },
  '0281_jobs_of_nodes': {
    async up(db) {
      await db.schema.alterTable('jobs').addColumn('place', 'text').execute()
      await db.schema.alterTable('jobs').addColumn('handed_at', 'bigint').execute()
    },
  },
}
