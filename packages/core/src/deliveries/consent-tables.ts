import type { Migrations } from '../db/migrate.ts'
import { jsonType } from '../db/columns.ts'

export interface ConsentTables {
  /** What customers allow, the latest word by channel and purpose. `channel` is a full id or `*`. Folded from events. */
  consents: {
    customer_id: number
    channel: string
    purpose: string
    state: 'granted' | 'withdrawn'
    at: number
    source: string
    /** Text that was agreed to, and its version, as far as the event said so. */
    text_id: string | null
    text_version: number | null
  }
  /** Every word of a customer, with what it rests on. It outlives the event that it was folded from. */
  consent_ledger: {
    /** Of the event. */
    seq: number
    customer_id: number
    channel: string
    purpose: string
    state: 'granted' | 'withdrawn'
    at: number
    /** Event that said so. */
    name: string
    origin: string
    source: string
    text_id: string | null
    text_version: number | null
    locale: string | null
    /** Keyed hash of the address it came from. */
    address_hash: string | null
    agent: string | null
    /** What was said, in words. */
    note: string | null
    /** Account that wrote it down. */
    said_to: string | null
  }
  /** Texts by which customers are asked. */
  consent_texts: {
    id: string
    title: string
    purpose: string
    channel: string
    created_at: number
  }
  /** What such a text said. Once it may have been shown to anybody it stays as it is. */
  consent_text_versions: {
    text_id: string
    version: number
    /** Text by language, JSON. */
    variants: string
    created_at: number
    created_by: string
    published_at: number | null
    /** When the first consent under it was heard of. */
    used_at: number | null
    /** From then on consents under older versions count no more; null while they go on counting. */
    ask_again_from: number | null
  }
}

export const consentMigrations: Migrations = {
  '0400_consent_ledger': {
    async up(db) {
      for (const [name, type] of [
        ['text_id', 'text'],
        ['text_version', 'integer'],
      ] as const)
        await db.schema.alterTable('consents').addColumn(name, type).execute()
      await db.schema
        .createTable('consent_ledger')
        .addColumn('seq', 'bigint', (column) => column.primaryKey())
        .addColumn('customer_id', 'bigint', (column) => column.notNull())
        .addColumn('channel', 'text', (column) => column.notNull())
        .addColumn('purpose', 'text', (column) => column.notNull())
        .addColumn('state', 'text', (column) => column.notNull())
        .addColumn('at', 'bigint', (column) => column.notNull())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('origin', 'text', (column) => column.notNull())
        .addColumn('source', 'text', (column) => column.notNull())
        .addColumn('text_id', 'text')
        .addColumn('text_version', 'integer')
        .addColumn('locale', 'text')
        .addColumn('address_hash', 'text')
        .addColumn('agent', 'text')
        .addColumn('note', 'text')
        .addColumn('said_to', 'text')
        .execute()
      await db.schema
        .createIndex('consent_ledger_customer')
        .on('consent_ledger')
        .columns(['customer_id', 'at'])
        .execute()
      await db.schema
        .createIndex('consent_ledger_text')
        .on('consent_ledger')
        .columns(['text_id', 'text_version'])
        .where('text_id', 'is not', null)
        .execute()
      await db.schema
        .createTable('consent_texts')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('title', 'text', (column) => column.notNull())
        .addColumn('purpose', 'text', (column) => column.notNull())
        .addColumn('channel', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .execute()
      await db.schema
        .createTable('consent_text_versions')
        .addColumn('text_id', 'text', (column) => column.notNull())
        .addColumn('version', 'integer', (column) => column.notNull())
        .addColumn('variants', jsonType(db), (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('created_by', 'text', (column) => column.notNull())
        .addColumn('published_at', 'bigint')
        .addColumn('used_at', 'bigint')
        .addColumn('ask_again_from', 'bigint')
        .addPrimaryKeyConstraint('consent_text_versions_pk', ['text_id', 'version'])
        .execute()
      // Read once more from the start: the ledger is filled from the events that there still are.
      await db.updateTable('cursors').set({ position: 0 }).where('name', '=', 'consents').execute()
    },
  },
}
