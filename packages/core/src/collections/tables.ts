import type { Generated } from 'kysely'
import { autoIncrement, jsonType } from '../db/columns.ts'
import type { Migrations } from '../db/migrate.ts'

export interface CollectionTables {
  /** What is stored for each collection that was ever declared; its records are in a table of their own. */
  collections: {
    /** `publisher.name/id` */
    id: string
    plugin: string
    table_name: string
    /** As declared, texts in every language. JSON. */
    declaration: string
    /** Columns and indexes of the table as they are, retired columns included. JSON. */
    layout: string
    /** Whether the plugin's version in use still declares it. */
    active: number
    /** Grows with every change of the declaration, so that what was compiled from it can be told to be stale. */
    revision: number
    updated_at: number
  }
  /** What records were before they were changed or deleted. */
  collection_history: {
    seq: Generated<number>
    collection: string
    record_id: string
    /** Number of the record's row, by which it can be told what was there at some time. */
    record_seq: number
    kind: 'update' | 'delete'
    /** Version that the record had before. */
    version: number
    at: number
    by: string
    /** The whole row before. JSON. */
    before: string
  }
  /** Changes that the code of a plugin has still to be told. */
  collection_outbox: {
    seq: Generated<number>
    collection: string
    record_id: string
    kind: 'insert' | 'update' | 'delete'
    /** `{ record?, previous? }`, JSON. */
    change: string
    attempts: number
    due_at: number
    error: string | null
  }
}

export const collectionMigrations: Migrations = {
  '0085_collections': {
    async up(db) {
      await db.schema
        .createTable('collections')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('plugin', 'text', (column) => column.notNull())
        .addColumn('table_name', 'text', (column) => column.notNull().unique())
        .addColumn('declaration', jsonType(db), (column) => column.notNull())
        .addColumn('layout', jsonType(db), (column) => column.notNull())
        .addColumn('active', 'integer', (column) => column.notNull())
        .addColumn('revision', 'integer', (column) => column.notNull())
        .addColumn('updated_at', 'bigint', (column) => column.notNull())
        .execute()
      await db.schema
        .createTable('collection_history')
        .$call(autoIncrement(db, 'seq'))
        .addColumn('collection', 'text', (column) => column.notNull())
        .addColumn('record_id', 'text', (column) => column.notNull())
        .addColumn('record_seq', 'bigint', (column) => column.notNull())
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('version', 'integer', (column) => column.notNull())
        .addColumn('at', 'bigint', (column) => column.notNull())
        .addColumn('by', 'text', (column) => column.notNull())
        .addColumn('before', jsonType(db), (column) => column.notNull())
        .execute()
      await db.schema
        .createIndex('collection_history_record')
        .on('collection_history')
        .columns(['collection', 'record_id', 'version'])
        .execute()
      await db.schema
        .createTable('collection_outbox')
        .$call(autoIncrement(db, 'seq'))
        .addColumn('collection', 'text', (column) => column.notNull())
        .addColumn('record_id', 'text', (column) => column.notNull())
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('change', jsonType(db), (column) => column.notNull())
        .addColumn('attempts', 'integer', (column) => column.notNull())
        .addColumn('due_at', 'bigint', (column) => column.notNull())
        .addColumn('error', 'text')
        .execute()
      await db.schema
        .createIndex('collection_outbox_record')
        .on('collection_outbox')
        .columns(['collection', 'record_id', 'seq'])
        .execute()
      await db.schema
        .createIndex('collection_outbox_due')
        .on('collection_outbox')
        .columns(['collection', 'due_at'])
        .execute()
    },
  },
}
