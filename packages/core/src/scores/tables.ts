import type { Migrations } from '../db/migrate.ts'

export interface ScoreTables {
  /** When each scorer and segmenter last ran, and over which state of the profiles. */
  score_runs: { id: string; ran_at: number; took_ms: number; customers: number; changes_seq: number; error: string | null }
}

export const scoreMigrations: Migrations = {
  '0040_scores': {
    async up(db) {
      await db.schema
        .createTable('score_runs')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('ran_at', 'bigint', (column) => column.notNull())
        .addColumn('took_ms', 'bigint', (column) => column.notNull())
        .addColumn('customers', 'bigint', (column) => column.notNull())
        .addColumn('changes_seq', 'bigint', (column) => column.notNull())
        .addColumn('error', 'text')
        .execute()
    },
  },
}
