import { type Generated, sql } from 'kysely'
import { autoIncrement } from '../db/columns.ts'
import type { Migrations } from '../db/migrate.ts'

export interface RightsTables {
  /** Who was erased, without anything that names them. */
  erasures: {
    id: string
    state: 'requested' | 'done'
    /** Number of the customer at the time; it is given to nobody again. */
    customer_id: number
    reason: string
    requested_by: string
    requested_at: number
    finished_at: number | null
    /** Numbers under which other tables may know the customer, JSON. */
    ids: string
    /** Texts that name the customer, sealed, for as long as they are still looked for; JSON. */
    marks: string | null
    /** The largest of the numbers: later ones are larger. */
    last_id: number
    /** Rows taken away, by kind, JSON. */
    removed: string
    /** When everything here was gone; plugins may still have to answer. */
    own_done_at: number | null
    /** Who the customer was, sealed, for plugins that have not answered; JSON. */
    customer: string | null
    /** What the customer had allowed and taken back, by day and without anything that names them, JSON. */
    consents: string
  }
  /** What plugins answered when they were told of an erasure. */
  plugin_erasures: {
    erasure_id: string
    plugin_id: string
    /** Full id of the contribution. */
    eraser_id: string
    title: string
    /** `gone`: its plugin was taken out, and nobody is left to answer. */
    state: 'waiting' | 'done' | 'gone'
    attempts: number
    /** Why it could not, without anything that names the customer. */
    error: string | null
    next_at: number
    answered_at: number | null
    removed: number
  }
  /** Keyed hashes by which an erasure can be proved to whoever says the name; they stay when a name is let in again. */
  erasure_proofs: {
    erasure_id: string
    hash: string
    kind: string
    /** Tells under which secret it was hashed. */
    key_id: string
  }
  /** Keyed hashes of what erased customers were known by: nothing more is kept of them, and nothing is heard. */
  suppressions: {
    hash: string
    /** Kind of identifier. */
    kind: string
    erasure_id: string
    at: number
    /** Tells under which secret it was hashed. */
    key_id: string
  }
  /** Files that left with data of customers. */
  exports: {
    id: Generated<number>
    at: number
    user_id: string
    what: string
    subject: string
    title: string
    format: string
    row_count: number | null
    reason: string
  }
}

export const rightsMigrations: Migrations = {
  '0240_erasures': {
    async up(db) {
      await db.schema
        .createTable('erasures')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('state', 'text', (column) => column.notNull())
        .addColumn('customer_id', 'bigint', (column) => column.notNull())
        .addColumn('reason', 'text', (column) => column.notNull())
        .addColumn('requested_by', 'text', (column) => column.notNull())
        .addColumn('requested_at', 'bigint', (column) => column.notNull())
        .addColumn('finished_at', 'bigint')
        .addColumn('ids', 'text', (column) => column.notNull())
        .addColumn('marks', 'text')
        .addColumn('last_id', 'bigint', (column) => column.notNull())
        .addColumn('removed', 'text', (column) => column.notNull())
        .execute()
      await db.schema.createIndex('erasures_time').on('erasures').column('requested_at').execute()
      await db.schema
        .createTable('suppressions')
        .addColumn('hash', 'text', (column) => column.primaryKey())
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('erasure_id', 'text', (column) => column.notNull())
        .addColumn('at', 'bigint', (column) => column.notNull())
        .addColumn('key_id', 'text', (column) => column.notNull())
        .execute()
      // What people decided about identities stands on no timeline, so that it has to be found in the log itself.
      await db.schema
        .createIndex('events_identity')
        .on('events')
        .column('seq')
        .where(sql.ref('type'), '=', 'identity')
        .execute()
    },
  },
  '0241_exports': {
    async up(db) {
      await db.schema
        .createTable('exports')
        .$call(autoIncrement(db, 'id'))
        .addColumn('at', 'bigint', (column) => column.notNull())
        .addColumn('user_id', 'text', (column) => column.notNull())
        .addColumn('what', 'text', (column) => column.notNull())
        .addColumn('subject', 'text', (column) => column.notNull())
        .addColumn('title', 'text', (column) => column.notNull())
        .addColumn('format', 'text', (column) => column.notNull())
        .addColumn('row_count', 'bigint')
        .addColumn('reason', 'text', (column) => column.notNull())
        .execute()
    },
  },
  '0242_profiling': {
    async up(db) {
      // Asked with every rule that rests on scores.
      await db.schema
        .createIndex('consents_profiling')
        .on('consents')
        .columns(['customer_id', 'state', 'at'])
        .where(sql.ref('purpose'), '=', 'profiling')
        .execute()
    },
  },
  '0401_erasure_proofs': {
    async up(db) {
      await db.schema
        .alterTable('erasures')
        .addColumn('consents', 'text', (column) => column.notNull().defaultTo('[]'))
        .execute()
      await db.schema
        .createTable('erasure_proofs')
        .addColumn('erasure_id', 'text', (column) => column.notNull())
        .addColumn('hash', 'text', (column) => column.notNull())
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('key_id', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('erasure_proofs_pk', ['hash', 'erasure_id'])
        .execute()
      await sql`insert into erasure_proofs (erasure_id, hash, kind, key_id)
        select erasure_id, hash, kind, key_id from suppressions`.execute(db)
    },
  },
  '0403_plugin_erasures': {
    async up(db) {
      await db.schema.alterTable('erasures').addColumn('own_done_at', 'bigint').execute()
      await db.schema.alterTable('erasures').addColumn('customer', 'text').execute()
      await sql`update erasures set own_done_at = finished_at`.execute(db)
      await db.schema
        .createTable('plugin_erasures')
        .addColumn('erasure_id', 'text', (column) => column.notNull())
        .addColumn('plugin_id', 'text', (column) => column.notNull())
        .addColumn('eraser_id', 'text', (column) => column.notNull())
        .addColumn('title', 'text', (column) => column.notNull())
        .addColumn('state', 'text', (column) => column.notNull())
        .addColumn('attempts', 'integer', (column) => column.notNull())
        .addColumn('error', 'text')
        .addColumn('next_at', 'bigint', (column) => column.notNull())
        .addColumn('answered_at', 'bigint')
        .addColumn('removed', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('plugin_erasures_pk', ['erasure_id', 'eraser_id'])
        .execute()
      await db.schema
        .createIndex('plugin_erasures_waiting')
        .on('plugin_erasures')
        .column('next_at')
        .where(sql.ref('state'), '=', 'waiting')
        .execute()
    },
  },
}
