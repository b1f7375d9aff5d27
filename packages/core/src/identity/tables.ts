import type { Generated } from 'kysely'
import { autoIncrement, jsonType } from '../db/columns.ts'
import type { Migrations } from '../db/migrate.ts'

export interface IdentityTables {
  /** Everything a customer is known by. A customer's id is the smallest identifier id of its component. */
  identifiers: { id: number; kind: string; value: string; customer_id: number; first_seen_at: number }
  /**
   * Evidence that two identifiers are one person. `a` < `b` for strong links; for a weak one `a` is the weak
   * identifier. `ts` and `message_id` are those of the earliest event that says so.
   */
  identity_links: { a: number; b: number; weak: number; ts: number; message_id: string; seq: number }
  /** Pairs that someone said are not one person; evidence for them is ignored. */
  identity_cuts: { a: number; b: number; seq: number }
  /** Components that became one, for people to read and undo. */
  merges: {
    id: Generated<number>
    seq: number
    at: number
    customer_id: number
    absorbed_id: number
    /** Identifier ids of the absorbed side at that moment, JSON. */
    absorbed: string
    a: number
    b: number
    undone_at: number | null
  }
}

export const identityMigrations: Migrations = {
  '0020_identity': {
    async up(db) {
      await db.schema
        .createTable('identifiers')
        .addColumn('id', 'bigint', (column) => column.primaryKey())
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('value', 'text', (column) => column.notNull())
        .addColumn('customer_id', 'bigint', (column) => column.notNull())
        .addColumn('first_seen_at', 'bigint', (column) => column.notNull())
        .execute()
      await db.schema.createIndex('identifiers_value').on('identifiers').columns(['value', 'kind']).unique().execute()
      await db.schema.createIndex('identifiers_customer').on('identifiers').column('customer_id').execute()
      await db.schema
        .createTable('identity_links')
        .addColumn('a', 'bigint', (column) => column.notNull())
        .addColumn('b', 'bigint', (column) => column.notNull())
        .addColumn('weak', 'integer', (column) => column.notNull())
        .addColumn('ts', 'bigint', (column) => column.notNull())
        .addColumn('message_id', 'text', (column) => column.notNull())
        .addColumn('seq', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('identity_links_pk', ['a', 'b'])
        .execute()
      await db.schema.createIndex('identity_links_b').on('identity_links').column('b').execute()
      await db.schema
        .createTable('identity_cuts')
        .addColumn('a', 'bigint', (column) => column.notNull())
        .addColumn('b', 'bigint', (column) => column.notNull())
        .addColumn('seq', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('identity_cuts_pk', ['a', 'b'])
        .execute()
      await db.schema
        .createTable('merges')
        .$call(autoIncrement(db, 'id'))
        .addColumn('seq', 'bigint', (column) => column.notNull())
        .addColumn('at', 'bigint', (column) => column.notNull())
        .addColumn('customer_id', 'bigint', (column) => column.notNull())
        .addColumn('absorbed_id', 'bigint', (column) => column.notNull())
        .addColumn('absorbed', jsonType(db), (column) => column.notNull())
        .addColumn('a', 'bigint', (column) => column.notNull())
        .addColumn('b', 'bigint', (column) => column.notNull())
        .addColumn('undone_at', 'bigint')
        .execute()
      await db.schema.createIndex('merges_customer').on('merges').column('customer_id').execute()
    },
  },
}
