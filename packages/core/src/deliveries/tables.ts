import { type Generated, type Kysely, sql } from 'kysely'
import { autoIncrement, jsonType } from '../db/columns.ts'
import type { Migrations } from '../db/migrate.ts'
import type { DeliveryPurpose } from '../journeys/outbox.ts'

/**
 * `planned`: waits for its time. `leased`: handed to the channel at this moment. `sent`: the provider has it. `pending`:
 * a person has to confirm it. `unknown`: handed over, and nobody heard what became of it. `refused`: a guard or the
 * provider said no, for good. `dead`: tried as often as it may be.
 */
export type DeliveryState =
  | 'planned'
  | 'leased'
  | 'sent'
  | 'pending'
  | 'delivered'
  | 'read'
  | 'clicked'
  | 'replied'
  | 'bounced'
  | 'complained'
  | 'failed'
  | 'refused'
  | 'unknown'
  | 'dead'
  | 'done'
  | 'cancelled'

export interface DeliveryRow {
  id: Generated<number>
  /** Nobody gets the same key twice. */
  key: string
  kind: 'message' | 'action'
  customer_id: number
  /** Full id of the channel, or of the action. */
  channel: string
  account: string
  /** Content before variables are filled in, or an action's input; JSON. */
  content: string
  /** What variables are filled in from besides the customer, JSON. */
  context: string
  /** Channels to try when this one may not be used: `[{channel, account, content}]`, JSON. */
  alternatives: string
  purpose: DeliveryPurpose
  priority: number
  journey_id: string | null
  node: string | null
  state: DeliveryState
  reason: string | null
  /** What goes with the reason, JSON. */
  details: string | null
  provider_id: string | null
  attempts: Generated<number>
  planned_at: number
  due_at: number
  expires_at: number | null
  /** Until when a worker has the row to itself. */
  leased_until: number | null
  lease_token: string | null
  sent_at: number | null
  updated_at: number
  /** When the provider is to be asked next. */
  poll_at: number | null
  /** When somebody who has to confirm it is reminded next, and how often that was done. */
  remind_at: number | null
  reminders: Generated<number>
  /** Account and business day whose slot in the ledger it holds. */
  used_account: string | null
  touch_day: number | null
  /** Content as it was handed over last, variables filled in and personal data masked; JSON. */
  shown_content: string | null
  /** Which of its channels came first and why, JSON; NULL until that was decided, or when there is nothing to decide. */
  choice: string | null
}

export interface DeliveryTables {
  deliveries: DeliveryRow
  /** What happened to a delivery, in order. */
  delivery_events: {
    id: Generated<number>
    delivery_id: number
    at: number
    kind: string
    reason: string | null
    details: string | null
    /** Receipts that came twice are written once. */
    receipt_key: string | null
  }
  /** Receipts that came before the answer to the message they are about. */
  early_receipts: { channel: string; provider_id: string; receipt: string; at: number }
  /** Touches by business day; customer 0 stands for the whole account. */
  contact_days: { customer_id: number; channel: string; account: string; day: number; count: number }
  /** How a customer answers to a channel. */
  contact_channels: {
    customer_id: number
    channel: string
    sent: number
    opened: number
    clicked: number
    replied: number
    complained: number
    /** Messages in a row that were not opened. */
    unopened: number
    last_sent_at: number | null
    last_opened_at: number | null
    /** Messages in a row that came back though the address is one: a full mailbox, a server that is away. */
    bounced: Generated<number>
    /** Addresses up to this identifier take nothing, since `undeliverable_at`. */
    undeliverable_upto: Generated<number | null>
    undeliverable_at: Generated<number | null>
  }
  /** Where messages are sent from. */
  channel_accounts: {
    id: string
    channel: string
    name: string
    settings: string
    active: number
    /** Token bucket that all nodes share. */
    tokens: number | null
    tokens_at: number | null
    /** Circuit breaker: failures in a row, and until when nothing is tried. */
    failures: Generated<number>
    open_until: number | null
    last_error: string | null
    /** When a channel that is polled by account is asked next, and how far it had read. */
    poll_at: Generated<number | null>
    poll_cursor: Generated<string | null>
    created_at: number
    updated_at: number
  }
}

export const deliveryMigrations: Migrations = {
  '0110_deliveries': {
    async up(db) {
      await db.schema
        .createTable('deliveries')
        .$call(autoIncrement(db, 'id'))
        .addColumn('key', 'text', (column) => column.notNull().unique())
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('customer_id', 'bigint', (column) => column.notNull())
        .addColumn('channel', 'text', (column) => column.notNull())
        .addColumn('account', 'text', (column) => column.notNull())
        .addColumn('content', jsonType(db), (column) => column.notNull())
        .addColumn('context', jsonType(db), (column) => column.notNull())
        .addColumn('alternatives', jsonType(db), (column) => column.notNull())
        .addColumn('purpose', 'text', (column) => column.notNull())
        .addColumn('priority', 'integer', (column) => column.notNull())
        .addColumn('journey_id', 'text')
        .addColumn('node', 'text')
        .addColumn('state', 'text', (column) => column.notNull())
        .addColumn('reason', 'text')
        .addColumn('details', 'text')
        .addColumn('provider_id', 'text')
        .addColumn('attempts', 'integer', (column) => column.notNull().defaultTo(0))
        .addColumn('planned_at', 'bigint', (column) => column.notNull())
        .addColumn('due_at', 'bigint', (column) => column.notNull())
        .addColumn('expires_at', 'bigint')
        .addColumn('leased_until', 'bigint')
        .addColumn('lease_token', 'text')
        .addColumn('sent_at', 'bigint')
        .addColumn('updated_at', 'bigint', (column) => column.notNull())
        .addColumn('poll_at', 'bigint')
        .addColumn('used_account', 'text')
        .addColumn('touch_day', 'integer')
        .execute()
      await createIndexes(db)
      await createHistory(db)
      await createContactTables(db)
    },
  },
  '0125_shown_content': {
    async up(db) {
      await db.schema.alterTable('deliveries').addColumn('shown_content', 'text').execute()
    },
  },
  '0145_reminders': {
    async up(db) {
      await db.schema.alterTable('deliveries').addColumn('remind_at', 'bigint').execute()
      await db.schema
        .alterTable('deliveries')
        .addColumn('reminders', 'integer', (column) => column.notNull().defaultTo(0))
        .execute()
      await db.schema
        .createIndex('deliveries_remind')
        .on('deliveries')
        .expression(sql`coalesce(remind_at, 0)`)
        .where(sql.ref('state'), '=', 'pending')
        .execute()
    },
  },
  '0150_channel_choice': {
    async up(db) {
      await db.schema.alterTable('deliveries').addColumn('choice', 'text').execute()
    },
  },
  '0440_polled_accounts': {
    async up(db) {
      await db.schema.alterTable('channel_accounts').addColumn('poll_at', 'bigint').execute()
      await db.schema.alterTable('channel_accounts').addColumn('poll_cursor', 'text').execute()
    },
  },
  '0441_undeliverable_addresses': {
    async up(db) {
      const table = () => db.schema.alterTable('contact_channels')
      await table()
        .addColumn('bounced', 'integer', (column) => column.notNull().defaultTo(0))
        .execute()
      await table().addColumn('undeliverable_upto', 'bigint').execute()
      await table().addColumn('undeliverable_at', 'bigint').execute()
    },
  },
}

async function createIndexes(db: Kysely<any>): Promise<void> {
  await db.schema
    .createIndex('deliveries_due')
    .on('deliveries')
    .columns(['channel', 'account', 'due_at'])
    .where(sql.ref('state'), '=', 'planned')
    .execute()
  await db.schema
    .createIndex('deliveries_leased')
    .on('deliveries')
    .column('leased_until')
    .where(sql.ref('state'), '=', 'leased')
    .execute()
  await db.schema
    .createIndex('deliveries_poll')
    .on('deliveries')
    .column('poll_at')
    .where('poll_at', 'is not', null)
    .execute()
  await db.schema
    .createIndex('deliveries_provider')
    .on('deliveries')
    .columns(['provider_id', 'channel'])
    .where('provider_id', 'is not', null)
    .execute()
  await db.schema.createIndex('deliveries_customer').on('deliveries').columns(['customer_id', 'id']).execute()
  await db.schema
    .createIndex('deliveries_journey')
    .on('deliveries')
    .columns(['journey_id', 'node', 'state'])
    .execute()
  await db.schema.createIndex('deliveries_state').on('deliveries').columns(['state', 'id']).execute()
}

async function createHistory(db: Kysely<any>): Promise<void> {
  await db.schema
    .createTable('delivery_events')
    .$call(autoIncrement(db, 'id'))
    .addColumn('delivery_id', 'bigint', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('reason', 'text')
    .addColumn('details', 'text')
    .addColumn('receipt_key', 'text', (column) => column.unique())
    .execute()
  await db.schema
    .createIndex('delivery_events_delivery')
    .on('delivery_events')
    .column('delivery_id')
    .execute()
  await db.schema
    .createTable('early_receipts')
    .addColumn('channel', 'text', (column) => column.notNull())
    .addColumn('provider_id', 'text', (column) => column.notNull())
    .addColumn('receipt', 'text', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createIndex('early_receipts_provider')
    .on('early_receipts')
    .columns(['provider_id', 'channel'])
    .execute()
}

async function createContactTables(db: Kysely<any>): Promise<void> {
  await db.schema
    .createTable('consents')
    .addColumn('customer_id', 'bigint', (column) => column.notNull())
    .addColumn('channel', 'text', (column) => column.notNull())
    .addColumn('purpose', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('source', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('consents_pk', ['customer_id', 'channel', 'purpose'])
    .execute()
  await db.schema
    .createTable('contact_days')
    .addColumn('customer_id', 'bigint', (column) => column.notNull())
    .addColumn('channel', 'text', (column) => column.notNull())
    .addColumn('account', 'text', (column) => column.notNull())
    .addColumn('day', 'integer', (column) => column.notNull())
    .addColumn('count', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('contact_days_pk', ['customer_id', 'day', 'channel', 'account'])
    .execute()
  await db.schema
    .createTable('contact_channels')
    .addColumn('customer_id', 'bigint', (column) => column.notNull())
    .addColumn('channel', 'text', (column) => column.notNull())
    .addColumn('sent', 'integer', (column) => column.notNull())
    .addColumn('opened', 'integer', (column) => column.notNull())
    .addColumn('clicked', 'integer', (column) => column.notNull())
    .addColumn('replied', 'integer', (column) => column.notNull())
    .addColumn('complained', 'integer', (column) => column.notNull())
    .addColumn('unopened', 'integer', (column) => column.notNull())
    .addColumn('last_sent_at', 'bigint')
    .addColumn('last_opened_at', 'bigint')
    .addPrimaryKeyConstraint('contact_channels_pk', ['customer_id', 'channel'])
    .execute()
  await db.schema
    .createTable('channel_accounts')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('channel', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('settings', 'text', (column) => column.notNull())
    .addColumn('active', 'integer', (column) => column.notNull())
    .addColumn('tokens', 'double precision')
    .addColumn('tokens_at', 'bigint')
    .addColumn('failures', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('open_until', 'bigint')
    .addColumn('last_error', 'text')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .execute()
}
