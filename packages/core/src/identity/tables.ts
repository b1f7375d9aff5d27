import { keyType } from '../db/columns.ts'
import type { Migrations } from '../db/migrate.ts'

export interface IdentityTables {
  /** Everything a customer is known by. A customer's id is the smallest identifier id of its component. */
  identifiers: {
    id: number
    kind: string
    value: string
    customer_id: number
    first_seen_at: number
    /** What a sealed value is found by: see `lookupsOf`. NULL for a value that is not sealed. */
    lookup: string | null
    /** Digest of a sealed phone number's last four digits. */
    tail: string | null
  }
  /**
   * Evidence that two identifiers are one person. `a` < `b` for strong links; for a weak one `a` is the weak
   * identifier. `ts` and `message_id` are those of the earliest event that says so.
   */
  identity_links: { a: number; b: number; weak: number; ts: number; message_id: string; seq: number }
  /**
   * What people decided about pairs (`a` < `b`): with `cut` 1 they are not one person and evidence for it is
   * ignored. Of several decisions the latest holds.
   */
  identity_decisions: { a: number; b: number; cut: number; ts: number; message_id: string }
}

export const identityMigrations: Migrations = {
  '0020_identity': {
    async up(db) {
      await db.schema
        .createTable('identifiers')
        .addColumn('id', keyType(db), (column) => column.primaryKey())
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('value', 'text', (column) => column.notNull())
        .addColumn('customer_id', 'bigint', (column) => column.notNull())
        .addColumn('first_seen_at', 'bigint', (column) => column.notNull())
        .execute()
      await db.schema
        .createIndex('identifiers_value')
        .on('identifiers')
        .columns(['value', 'kind'])
        .unique()
        .execute()
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
        .createTable('identity_decisions')
        .addColumn('a', 'bigint', (column) => column.notNull())
        .addColumn('b', 'bigint', (column) => column.notNull())
        .addColumn('cut', 'integer', (column) => column.notNull())
        .addColumn('ts', 'bigint', (column) => column.notNull())
        .addColumn('message_id', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('identity_decisions_pk', ['a', 'b'])
        .execute()
    },
  },
}
