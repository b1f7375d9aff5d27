import { type Generated, sql } from 'kysely'
import { autoIncrement, jsonType, keyType } from '../db/columns.ts'
import type { Migrations } from '../db/migrate.ts'
import { engineOf } from '../db/rows.ts'

export interface ProfileTables {
  /** One row an event, under its customer and its canonical name. */
  timeline: {
    seq: number
    customer_id: number
    /** Identifier the event was attributed through; says where it goes when a merge is undone. */
    identifier_id: number
    ts: number
    name: string
    /** The event type's number; minor units for money. */
    value: number | null
    /** Names the fact that later versions replace; NULL for a fact of its own. */
    fact_key: string | null
    version: number
    /** 1 unless a later version of the same fact is known. */
    current: number
  }
  /** One wide row a customer. Traits, features, scores and labels are further columns: see `profile_columns`. */
  profiles: ProfileRow
  /** Accumulators behind the features and traits, JSON; `expires_day` is when a window changes by itself. */
  profile_states: { customer_id: number; state: string; expires_day: number | null }
  /** Which columns the wide row has, and whose they are. */
  profile_columns: {
    name: string
    logical: string
    kind: 'core' | 'trait' | 'feature' | 'score' | 'label'
    owner: string
    type: string
    title: string
    description: string | null
    unit: string | null
    options: string | null
    pii: number
    position: Generated<number>
    /** 0 while the plugin that owns it is disabled. */
    active: number
  }
  /** Which customers changed in which columns: the log that segments follow. Trimmed once read. */
  profile_changes: { seq: Generated<number>; customer_id: number; columns: string; tx: Generated<number> }
}

export interface ProfileRow {
  customer_id: number
  /** Stable outside id of the customer, the same whatever order events arrive in. */
  key: string
  first_seen_at: number
  last_seen_at: number
  event_count: number
}

export const profileMigrations: Migrations = {
  '0030_profiles': {
    async up(db) {
      await db.schema
        .createTable('timeline')
        .addColumn('seq', keyType(db), (column) => column.primaryKey())
        .addColumn('customer_id', 'bigint', (column) => column.notNull())
        .addColumn('identifier_id', 'bigint', (column) => column.notNull())
        .addColumn('ts', 'bigint', (column) => column.notNull())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('value', 'double precision')
        .addColumn('fact_key', 'text')
        .addColumn('version', 'bigint', (column) => column.notNull())
        .addColumn('current', 'integer', (column) => column.notNull())
        .execute()
      await db.schema.createIndex('timeline_customer').on('timeline').columns(['customer_id', 'ts']).execute()
      await db.schema
        .createIndex('timeline_name')
        .on('timeline')
        .columns(['name', 'ts', 'customer_id', 'current', 'value'])
        .execute()
      await db.schema
        .createIndex('timeline_fact')
        .on('timeline')
        .column('fact_key')
        .where('fact_key', 'is not', null)
        .execute()
      await db.schema
        .createTable('profiles')
        .addColumn('customer_id', keyType(db), (column) => column.primaryKey())
        .addColumn('key', 'text', (column) => column.notNull())
        .addColumn('first_seen_at', 'bigint', (column) => column.notNull())
        .addColumn('last_seen_at', 'bigint', (column) => column.notNull())
        .addColumn('event_count', 'bigint', (column) => column.notNull())
        .execute()
      await db.schema
        .createTable('profile_states')
        .addColumn('customer_id', keyType(db), (column) => column.primaryKey())
        .addColumn('state', jsonType(db), (column) => column.notNull())
        .addColumn('expires_day', 'integer')
        .execute()
      await db.schema
        .createIndex('profile_states_expires')
        .on('profile_states')
        .column('expires_day')
        .where('expires_day', 'is not', null)
        .execute()
      await db.schema
        .createTable('profile_columns')
        .addColumn('name', 'text', (column) => column.primaryKey())
        .addColumn('logical', 'text', (column) => column.notNull())
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('owner', 'text', (column) => column.notNull())
        .addColumn('type', 'text', (column) => column.notNull())
        .addColumn('title', 'text', (column) => column.notNull())
        .addColumn('description', 'text')
        .addColumn('unit', 'text')
        .addColumn('options', 'text')
        .addColumn('pii', 'integer', (column) => column.notNull())
        .addColumn('position', 'integer', (column) => column.notNull().defaultTo(0))
        .addColumn('active', 'integer', (column) => column.notNull())
        .execute()
      await db.schema
        .createTable('profile_changes')
        .$call(autoIncrement(db, 'seq'))
        .addColumn('customer_id', 'bigint', (column) => column.notNull())
        .addColumn('columns', 'text', (column) => column.notNull())
        .addColumn('tx', 'bigint', (column) =>
          column
            .notNull()
            .defaultTo(engineOf(db) === 'postgres' ? sql`((pg_current_xact_id())::text)::bigint` : 0),
        )
        .execute()
    },
  },
}
