import type { Migrations } from '../db/migrate.ts'

export interface ScoreTables {
  /** The last run of each scorer and segmenter. */
  score_runs: {
    /** `<plugin prefix>.<id>`. */
    id: string
    /** State of the world it ran on: log position, business day, settings. */
    basis: string
    ran_at: number
    took_ms: number
    customers: number
    changed: number
    error: string | null
  }
}

export const scoreMigrations: Migrations = {
  '0040_scores': {
    async up(db) {
      await db.schema
        .createTable('score_runs')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('basis', 'text', (column) => column.notNull())
        .addColumn('ran_at', 'bigint', (column) => column.notNull())
        .addColumn('took_ms', 'bigint', (column) => column.notNull())
        .addColumn('customers', 'bigint', (column) => column.notNull())
        .addColumn('changed', 'bigint', (column) => column.notNull())
        .addColumn('error', 'text')
        .execute()
    },
  },
}
