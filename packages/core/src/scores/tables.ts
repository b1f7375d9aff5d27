import { jsonType } from '../db/columns.ts'
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
  /** What scorers learned, JSON; `id` as in `score_runs`. */
  score_models: { id: string; version: number; model: string; fitted_at: number; customers: number }
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
  '0089_score_models': {
    async up(db) {
      await db.schema
        .createTable('score_models')
        .addColumn('id', 'text', (column) => column.notNull())
        .addColumn('version', 'integer', (column) => column.notNull())
        .addColumn('model', jsonType(db), (column) => column.notNull())
        .addColumn('fitted_at', 'bigint', (column) => column.notNull())
        .addColumn('customers', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('score_models_pk', ['id', 'version'])
        .execute()
    },
  },
}
