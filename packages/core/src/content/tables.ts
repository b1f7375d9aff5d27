import { type Generated, sql } from 'kysely'
import { jsonType } from '../db/columns.ts'
import type { Migrations } from '../db/migrate.ts'
import { engineOf } from '../db/rows.ts'

export interface ContentTables {
  content_templates: {
    id: string
    name: string
    /** Full id of the channel it is written for. */
    channel: string
    default_locale: string
    version: number
    /** Where it was taken from, `publisher.name/id`. */
    origin: string | null
    created_at: number
    updated_at: number
  }
  /** Every state that a template was ever in. */
  content_template_versions: {
    template_id: string
    version: number
    default_locale: string
    /** Content by locale, JSON. */
    variants: string
    at: number
    by: string
  }
  /** Addresses that customers are given: of pages, and to take their leave. */
  message_links: {
    token: string
    kind: 'page' | 'unsubscribe'
    delivery_id: number
    url: string | null
    created_at: number
    expires_at: number
    clicks: Generated<number>
  }
  /** Clicks so soon after a message that a machine may have made them; they are told apart a little later. */
  held_clicks: { token: string; delivery_id: number; at: number; due_at: number }
  assets: {
    id: string
    name: string
    type: string
    size: number
    created_at: number
    created_by: string
    bytes: Buffer
  }
}

export const contentMigrations: Migrations = {
  '0140_content': {
    async up(db) {
      await db.schema
        .createTable('content_templates')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('channel', 'text', (column) => column.notNull())
        .addColumn('default_locale', 'text', (column) => column.notNull())
        .addColumn('version', 'integer', (column) => column.notNull())
        .addColumn('origin', 'text')
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('updated_at', 'bigint', (column) => column.notNull())
        .execute()
      await db.schema
        .createTable('content_template_versions')
        .addColumn('template_id', 'text', (column) => column.notNull())
        .addColumn('version', 'integer', (column) => column.notNull())
        .addColumn('default_locale', 'text', (column) => column.notNull())
        .addColumn('variants', jsonType(db), (column) => column.notNull())
        .addColumn('at', 'bigint', (column) => column.notNull())
        .addColumn('by', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('content_template_versions_pk', ['template_id', 'version'])
        .execute()
      await db.schema
        .createTable('message_links')
        .addColumn('token', 'text', (column) => column.primaryKey())
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('delivery_id', 'bigint', (column) => column.notNull())
        .addColumn('url', 'text')
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('expires_at', 'bigint', (column) => column.notNull())
        .addColumn('clicks', 'integer', (column) => column.notNull().defaultTo(0))
        .execute()
      await db.schema
        .createIndex('message_links_delivery')
        .on('message_links')
        .column('delivery_id')
        .execute()
      await db.schema.createIndex('message_links_expiry').on('message_links').column('expires_at').execute()
      await db.schema
        .createTable('held_clicks')
        .addColumn('token', 'text', (column) => column.notNull())
        .addColumn('delivery_id', 'bigint', (column) => column.notNull())
        .addColumn('at', 'bigint', (column) => column.notNull())
        .addColumn('due_at', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('held_clicks_pk', ['token', 'at'])
        .execute()
      await db.schema.createIndex('held_clicks_due').on('held_clicks').column('due_at').execute()
      await db.schema
        .createTable('assets')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('type', 'text', (column) => column.notNull())
        .addColumn('size', 'bigint', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('created_by', 'text', (column) => column.notNull())
        .addColumn('bytes', engineOf(db) === 'postgres' ? 'bytea' : sql`blob`, (column) => column.notNull())
        .execute()
    },
  },
}
