import { openTestDatabase } from '@huitou/testing'
import { type Kysely, sql } from 'kysely'
import type { CoreContext } from '../src/context.ts'
import type { Engine } from '../src/db/database.ts'
import { rowsOf } from '../src/db/rows.ts'
import { createJobs } from '../src/jobs/jobs.ts'
import { createPoints } from '../src/points/points.ts'
import type { Brand } from '../src/settings/brand.ts'
import { tablesTemplate } from './tables-template.ts'

export const engines: Engine[] = ['sqlite', 'postgres']

export type FixtureColumn = {
  name: string
  type: string
  pii?: boolean
  kind?: string
  options?: object[]
  title?: { en: string; 'zh-CN': string }
}
export type FixtureCustomer = { customer_id: number; [column: string]: string | number | null }
export type FixtureEvent = {
  customer_id: number
  name: string
  ts: number
  value?: number | null
  current?: number
  properties?: Record<string, unknown>
}

/** A core without its first stages: profiles and timeline are written by hand. */
export interface Shop extends CoreContext, AsyncDisposable {
  now: number
  settings: Brand
  addColumns(columns: FixtureColumn[]): Promise<void>
  /** Writes customers whole; what is not given is NULL. */
  put(customers: FixtureCustomer[]): Promise<void>
  remove(ids: number[]): Promise<void>
  happen(events: FixtureEvent[]): Promise<void>
  /** Says which columns of which customers changed, as the profiles stage does. */
  changed(changes: { customer_id: number; columns: string[] }[]): Promise<void>
}

const SQL_TYPES: Record<string, string> = {
  text: 'text',
  label: 'text',
  number: 'double precision',
  integer: 'bigint',
  money: 'bigint',
  time: 'bigint',
  boolean: 'integer',
}

export async function createShop(
  engine: Engine,
  now = Date.parse('2026-11-21T10:00:00+08:00'),
): Promise<Shop> {
  const { database, remove } = await openTestDatabase(engine, tablesTemplate)
  const columns = new Map<string, string>()
  const db = database.db as Kysely<any>
  let seq = 0
  const clock = { now: () => shop.now }
  const shop: Shop = {
    database,
    clock,
    now,
    points: createPoints(),
    jobs: createJobs({ database, clock }),
    log: { info() {}, warn() {}, error() {} },
    settings: { brandName: 'Test', currency: 'CNY', timeZone: 'Asia/Shanghai', locale: 'en' },
    brand: async () => shop.settings,
    async addColumns(added) {
      for (const column of added) {
        columns.set(column.name, column.type)
        if (column.kind !== 'core') {
          await db.schema
            .alterTable('profiles')
            .addColumn(column.name, sql.raw(SQL_TYPES[column.type] ?? 'text'))
            .execute()
        }
        await db
          .insertInto('profile_columns')
          .values({
            name: column.name,
            logical: column.name.replace(/^t_/, ''),
            kind: column.kind ?? 'trait',
            owner: 'core',
            type: column.type,
            title: JSON.stringify(column.title ?? { en: column.name, 'zh-CN': column.name }),
            description: null,
            unit: null,
            options: column.options ? JSON.stringify(column.options) : null,
            pii: column.pii ? 1 : 0,
            active: 1,
          })
          .execute()
      }
    },
    async put(customers) {
      if (customers.length === 0) return
      const types: Record<string, 'integer' | 'real' | 'text'> = {
        customer_id: 'integer',
        key: 'text',
        first_seen_at: 'integer',
        last_seen_at: 'integer',
        event_count: 'integer',
      }
      for (const [name, type] of columns) {
        types[name] = type === 'text' || type === 'label' ? 'text' : type === 'number' ? 'real' : 'integer'
      }
      const rows = customers.map((customer) => ({
        key: `user_id|${customer.customer_id}`,
        first_seen_at: 0,
        last_seen_at: 0,
        event_count: 0,
        ...customer,
      }))
      await shop.remove(customers.map(({ customer_id }) => customer_id))
      await db
        .insertInto('profiles')
        .columns(Object.keys(types))
        .expression(
          db
            .selectFrom(rowsOf(db, rows, types as never))
            .select(Object.keys(types).map((name) => `r.${name}`)),
        )
        .execute()
    },
    async remove(ids) {
      await db.deleteFrom('profiles').where('customer_id', 'in', ids).execute()
    },
    async happen(events) {
      if (events.length === 0) return
      const rows = events.map((event) => ({ value: null, current: 1, properties: {}, ...event, seq: ++seq }))
      await db
        .insertInto('timeline')
        .values(
          rows.map(({ properties: _, ...row }) => ({
            ...row,
            identifier_id: row.customer_id,
            fact_key: null,
            version: row.ts,
          })),
        )
        .execute()
      const stored = rows.map(({ seq: number, name, ts, properties }) => ({
        message_id: `m${number}`,
        source: 'test',
        type: 'track',
        name,
        ts,
        received_at: ts,
        version: ts,
        body: JSON.stringify({ properties }),
      }))
      await db.insertInto('events').values(stored).execute()
    },
    async changed(changes) {
      if (changes.length === 0) return
      const rows = changes.map(({ customer_id, columns: names }) => ({
        customer_id,
        columns: JSON.stringify(names),
      }))
      await db.insertInto('profile_changes').values(rows).execute()
    },
    async [Symbol.asyncDispose]() {
      await database.close()
      await remove()
    },
  }
  return shop
}
