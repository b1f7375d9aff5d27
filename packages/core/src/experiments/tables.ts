import { sql } from 'kysely'
import { jsonType } from '../db/columns.ts'
import type { Migrations } from '../db/migrate.ts'
import { engineOf } from '../db/rows.ts'

export interface ExperimentTables {
  experiments: {
    id: string
    name: string
    /** Journey whose enrolments are the exposures. */
    journey_id: string | null
    /** Arms, metrics and what else was fixed before the start, JSON. */
    definition: string
    created_at: number
    updated_at: number
    started_at: number | null
    ended_at: number | null
  }
  /** First time a customer met an arm. `customer_id` is who it was then. */
  experiment_exposures: { experiment_id: string; customer_id: number; arm: string; at: number }
}

export const experimentMigrations: Migrations = {
  '0120_experiments': {
    async up(db) {
      await db.schema
        .createTable('experiments')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('journey_id', 'text')
        .addColumn('definition', jsonType(db), (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('updated_at', 'bigint', (column) => column.notNull())
        .addColumn('started_at', 'bigint')
        .addColumn('ended_at', 'bigint')
        .execute()
      await db.schema
        .createTable('experiment_exposures')
        .addColumn('experiment_id', 'text', (column) => column.notNull())
        .addColumn('customer_id', 'bigint', (column) => column.notNull())
        .addColumn('arm', 'text', (column) => column.notNull())
        .addColumn('at', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('experiment_exposures_pk', ['experiment_id', 'customer_id'])
        .$call((table) => (engineOf(db) === 'sqlite' ? table.modifyEnd(sql`without rowid`) : table))
        .execute()
    },
  },
}
