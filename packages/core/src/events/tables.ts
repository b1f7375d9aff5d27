import type { Generated } from 'kysely'
import { autoIncrement, jsonType } from '../db/columns.ts'
import type { Migrations } from '../db/migrate.ts'

export interface EventTables {
  /** The log: what was said to have happened, as it arrived. Appended to, never changed. */
  events: {
    seq: Generated<number>
    message_id: string
    /** Write key, `import` or `hook:<plugin>`. Message ids are unique within a source. */
    source: string
    /** Segment's call: track, identify, page, screen, group, alias; or `identity` for the core's own. */
    type: string
    name: string | null
    /** When it happened, corrected for the sender's clock. */
    ts: number
    received_at: number
    /** Orders versions of one fact; larger wins. */
    version: number
    body: string
  }
  /** What was refused and why, so that a sender can find its mistake; trimmed to the newest. */
  rejected_events: {
    id: Generated<number>
    source: string
    at: number
    code: string
    message: string
    excerpt: string
  }
}

export const eventMigrations: Migrations = {
  '0010_events': {
    async up(db) {
      await db.schema
        .createTable('events')
        .$call(autoIncrement(db, 'seq'))
        .addColumn('message_id', 'text', (column) => column.notNull())
        .addColumn('source', 'text', (column) => column.notNull())
        .addColumn('type', 'text', (column) => column.notNull())
        .addColumn('name', 'text')
        .addColumn('ts', 'bigint', (column) => column.notNull())
        .addColumn('received_at', 'bigint', (column) => column.notNull())
        .addColumn('version', 'bigint', (column) => column.notNull())
        .addColumn('body', jsonType(db), (column) => column.notNull())
        .execute()
      await db.schema
        .createIndex('events_message')
        .on('events')
        .columns(['message_id', 'source'])
        .unique()
        .execute()
      await db.schema
        .createTable('rejected_events')
        .$call(autoIncrement(db, 'id'))
        .addColumn('source', 'text', (column) => column.notNull())
        .addColumn('at', 'bigint', (column) => column.notNull())
        .addColumn('code', 'text', (column) => column.notNull())
        .addColumn('message', 'text', (column) => column.notNull())
        .addColumn('excerpt', 'text', (column) => column.notNull())
        .execute()
    },
  },
}
