import { sql } from 'kysely'
import type { Migrations } from '../db/migrate.ts'
import type { RequestKind } from './requests.ts'

export interface RequestTables {
  /** What customers asked for as the law lets them, and what became of it. */
  privacy_requests: {
    id: string
    /** NULL once the customer is erased. */
    customer_id: number | null
    kind: RequestKind
    state: 'open' | 'working' | 'done' | 'refused'
    /** How they asked. */
    way: string
    asked_by: string
    note: string
    asked_at: number
    due_at: number
    remind_at: number
    created_by: string
    created_at: number
    handler: string | null
    answer: string | null
    finished_at: number | null
    /** What was done, as `erasure:<id>`, `export:<id>` or `consent:<customer>`. */
    result: string | null
    /** The erasure of the customer, whatever this request was about. */
    erasure_id?: string | null
  }
}

export const requestMigrations: Migrations = {
  '0402_privacy_requests': {
    async up(db) {
      await db.schema
        .createTable('privacy_requests')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('customer_id', 'bigint')
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('state', 'text', (column) => column.notNull())
        .addColumn('way', 'text', (column) => column.notNull())
        .addColumn('asked_by', 'text', (column) => column.notNull())
        .addColumn('note', 'text', (column) => column.notNull())
        .addColumn('asked_at', 'bigint', (column) => column.notNull())
        .addColumn('due_at', 'bigint', (column) => column.notNull())
        .addColumn('remind_at', 'bigint', (column) => column.notNull())
        .addColumn('created_by', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('handler', 'text')
        .addColumn('answer', 'text')
        .addColumn('finished_at', 'bigint')
        .addColumn('result', 'text')
        .addColumn('erasure_id', 'text')
        .execute()
      await db.schema
        .createIndex('privacy_requests_customer')
        .on('privacy_requests')
        .column('customer_id')
        .execute()
      await db.schema
        .createIndex('privacy_requests_open')
        .on('privacy_requests')
        .column('due_at')
        .where(sql.ref('state'), 'in', ['open', 'working'])
        .execute()
      await db.schema
        .createIndex('privacy_requests_closed')
        .on('privacy_requests')
        .column('finished_at')
        .execute()
    },
  },
}
