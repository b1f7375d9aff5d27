import { createTestCore, type TestCore, type TestEngine } from '@huitou/testing'
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import type { Reader } from '../src/points/grants.ts'

/** A Kysely whose queries only make trees, as a plugin's does. */
export function treesOf(): Kysely<any> {
  return new Kysely<any>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  })
}

/** The tree as it arrives from another process. */
export function plain(query: { toOperationNode(): unknown }): unknown {
  return structuredClone(query.toOperationNode())
}

/** May read cities, amounts and orders, and no personal data. */
export const reader: Reader = {
  id: 'test.reader',
  columnPrefix: 'reader',
  permissions: {
    'profile.read': ['key', 't_city', 'shop_*', 'segments', 'first_seen_at'],
    'events.read': ['order.*'],
  },
}

const people = [
  { userId: 'a', city: '上海', phone: '13800138001', total: 10 },
  { userId: 'b', city: '上海', phone: '13800138002', total: 20 },
  { userId: 'c', city: '北京', phone: '13800138003', total: 30 },
  { userId: 'd', city: undefined, phone: '13800138004', total: 5 },
]

/** Five customers with a phone each, four of whom have a city and an order. */
export async function openShop(engine: TestEngine): Promise<TestCore> {
  const core = await createTestCore({ engine })
  core.declare({
    events: [
      {
        name: 'order.paid',
        title: 'Paid',
        value: 'total',
        valueType: 'money',
        pii: ['buyer.phone', 'guests.phone', 'rooms.guest.phone'],
      },
      { name: 'chat.sent', title: 'Chat' },
    ],
    features: [
      { id: 'spend', title: 'Spend', events: [{ name: 'order.paid' }], aggregate: 'sum', type: 'money' },
    ],
  })
  for (const { userId, city, phone, total } of people) {
    await core.send(
      { type: 'identify', userId, messageId: `i-${userId}`, traits: { phone, ...(city ? { city } : {}) } },
      {
        type: 'track',
        event: 'order.paid',
        userId,
        messageId: `o-${userId}`,
        properties: {
          total,
          sku: `sku-${userId}`,
          phone,
          buyer: { phone, vip: true },
          items: [{ n: total }],
          guests: [{ phone, seat: 1 }],
          rooms: { guest: [{ phone }], number: 7 },
        },
      },
      { type: 'track', event: 'chat.sent', userId, messageId: `c-${userId}`, properties: { text: 'secret' } },
    )
  }
  await core.send({
    type: 'track',
    event: 'order.paid',
    messageId: 'o-phone',
    userId: '',
    anonymousId: 'x',
    context: { externalIds: [{ type: 'phone', id: '13900139000' }] },
    properties: { total: 1 },
  })
  await core.settle()
  return core
}
