import { type Generated, type Kysely, sql } from 'kysely'
import { autoIncrement, jsonType } from '../db/columns.ts'
import type { Migrations } from '../db/migrate.ts'

export interface JourneyTables {
  journeys: {
    id: string
    name: string
    state: 'draft' | 'live' | 'paused' | 'ended'
    published_version: number | null
    /** What is being worked on, JSON; need not be sound. */
    draft: string
    created_at: number
    updated_at: number
    /** When customers are to be looked for next: triggers of date and schedule. */
    next_run_at: number | null
    /** A run under way: its moment, and the customer up to which it has come. */
    run_at: number | null
    run_after: number | null
    /** When everybody was last taken out. */
    stopped_at: Generated<number | null>
    /** Enrolments and deliveries up to these are out since then, whether that was written yet or not. */
    stopped_enrolment: Generated<number | null>
    stopped_delivery: Generated<number | null>
  }
  /** Published definitions; never changed. */
  journey_versions: {
    journey_id: string
    version: number
    definition: string
    published_at: number
    published_by: string
  }
  enrolments: {
    id: Generated<number>
    journey_id: string
    version: number
    customer_id: number
    /** Tells one entry of a customer from another: an order id, the day of a run; empty if there is only one. */
    entry_key: string
    node: string
    /** Steps taken. */
    visit: number
    state: 'active' | 'waiting' | 'done' | 'exited' | 'failed'
    due_at: number | null
    /** What `due_at` was when the journey was paused. */
    held_due_at: number | null
    /** Event, or `task:<key>`, that ends the wait at `node`. */
    waiting_for: string | null
    arm: 'treated' | 'holdout'
    /** What it began with, JSON. */
    data: string
    entered_at: number
    ended_at: number | null
    ended_reason: string | null
    goal_at: number | null
  }
  /** What was done at each step. */
  enrolment_steps: { enrolment_id: number; visit: number; node: string; at: number; outcome: string }
  /** Sums of the steps, so that nobody has to count them. */
  journey_stats: { journey_id: string; version: number; node: string; outcome: string; count: number }
}

export const journeyMigrations: Migrations = {
  '0100_journeys': {
    async up(db) {
      await createJourneys(db)
      await createEnrolments(db)
      await db.schema
        .createTable('enrolment_steps')
        .addColumn('enrolment_id', 'bigint', (column) => column.notNull())
        .addColumn('visit', 'integer', (column) => column.notNull())
        .addColumn('node', 'text', (column) => column.notNull())
        .addColumn('at', 'bigint', (column) => column.notNull())
        .addColumn('outcome', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('enrolment_steps_pk', ['enrolment_id', 'visit'])
        .execute()
      await db.schema
        .createTable('journey_stats')
        .addColumn('journey_id', 'text', (column) => column.notNull())
        .addColumn('version', 'integer', (column) => column.notNull())
        .addColumn('node', 'text', (column) => column.notNull())
        .addColumn('outcome', 'text', (column) => column.notNull())
        .addColumn('count', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('journey_stats_pk', ['journey_id', 'version', 'node', 'outcome'])
        .execute()
    },
  },
  '0470_journey_stops': {
    async up(db) {
      for (const column of ['stopped_at', 'stopped_enrolment', 'stopped_delivery'])
        await db.schema.alterTable('journeys').addColumn(column, 'bigint').execute()
    },
  },
}

async function createJourneys(db: Kysely<any>): Promise<void> {
  await db.schema
    .createTable('journeys')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('published_version', 'integer')
    .addColumn('draft', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .addColumn('next_run_at', 'bigint')
    .addColumn('run_at', 'bigint')
    .addColumn('run_after', 'bigint')
    .execute()
  await db.schema
    .createTable('journey_versions')
    .addColumn('journey_id', 'text', (column) => column.notNull())
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('definition', 'text', (column) => column.notNull())
    .addColumn('published_at', 'bigint', (column) => column.notNull())
    .addColumn('published_by', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('journey_versions_pk', ['journey_id', 'version'])
    .execute()
}

async function createEnrolments(db: Kysely<any>): Promise<void> {
  await db.schema
    .createTable('enrolments')
    .$call(autoIncrement(db, 'id'))
    .addColumn('journey_id', 'text', (column) => column.notNull())
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('customer_id', 'bigint', (column) => column.notNull())
    .addColumn('entry_key', 'text', (column) => column.notNull())
    .addColumn('node', 'text', (column) => column.notNull())
    .addColumn('visit', 'integer', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('due_at', 'bigint')
    .addColumn('held_due_at', 'bigint')
    .addColumn('waiting_for', 'text')
    .addColumn('arm', 'text', (column) => column.notNull())
    .addColumn('data', jsonType(db), (column) => column.notNull())
    .addColumn('entered_at', 'bigint', (column) => column.notNull())
    .addColumn('ended_at', 'bigint')
    .addColumn('ended_reason', 'text')
    .addColumn('goal_at', 'bigint')
    .execute()
  // Those who wait cost this index and nothing else.
  await db.schema
    .createIndex('enrolments_due')
    .on('enrolments')
    .column('due_at')
    .where('due_at', 'is not', null)
    .execute()
  await db.schema
    .createIndex('enrolments_customer')
    .on('enrolments')
    .columns(['customer_id', 'journey_id'])
    .execute()
  await db.schema
    .createIndex('enrolments_task')
    .on('enrolments')
    .column('waiting_for')
    .where(sql.ref('waiting_for'), 'like', 'task:%')
    .execute()
  await db.schema.createIndex('enrolments_journey').on('enrolments').columns(['journey_id', 'id']).execute()
}
