import { createTestCore, engines, type TestCore } from '@huitou/testing'
import fc from 'fast-check'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { transact } from '../db/database.ts'
import { rewindProfiles } from './stage.ts'

const ORDERS = {
  events: [
    {
      name: 'order.paid',
      title: 'Paid',
      aliases: ['Order Completed'],
      key: ['order_id'],
      value: 'total',
      valueType: 'money' as const,
    },
    {
      name: 'order.refunded',
      title: 'Refunded',
      key: ['order_id', 'refund_id?'],
      value: 'amount',
      valueType: 'money' as const,
    },
    { name: 'product.viewed', title: 'Viewed' },
  ],
  features: [
    {
      id: 'orders',
      title: 'Orders',
      events: [{ name: 'order.paid' }],
      aggregate: 'count' as const,
      type: 'integer' as const,
    },
    {
      id: 'net',
      title: 'Net',
      events: [{ name: 'order.paid' }, { name: 'order.refunded', factor: -1 }],
      aggregate: 'sum' as const,
      type: 'money' as const,
    },
    {
      id: 'basket',
      title: 'Basket',
      events: [{ name: 'order.paid' }],
      aggregate: 'mean' as const,
      type: 'money' as const,
    },
    {
      id: 'last',
      title: 'Last',
      events: [{ name: 'order.paid' }],
      aggregate: 'last' as const,
      of: 'time',
      type: 'time' as const,
    },
    {
      id: 'category',
      title: 'Category',
      events: [{ name: 'product.viewed' }],
      aggregate: 'mode' as const,
      of: 'category',
      type: 'text' as const,
    },
    {
      id: 'kinds',
      title: 'Kinds',
      events: [{ name: 'product.viewed' }],
      aggregate: 'distinct' as const,
      of: 'category',
      type: 'integer' as const,
    },
    {
      id: 'gap',
      title: 'Gap',
      events: [{ name: 'order.paid' }],
      aggregate: 'mean_gap' as const,
      type: 'number' as const,
    },
    {
      id: 'views_7d',
      title: 'Views',
      events: [{ name: 'product.viewed' }],
      aggregate: 'count' as const,
      windowDays: 7,
      type: 'integer' as const,
    },
    {
      id: 'weight',
      title: 'Weight',
      events: [{ name: 'product.viewed' }],
      aggregate: 'sum' as const,
      of: 'weight',
      type: 'number' as const,
    },
  ],
}

/** Profiles by the identifiers they hold, without the numbers that arrival order decides. */
async function profilesOf(core: TestCore): Promise<Record<string, unknown>> {
  const profiles = await core.database.db.selectFrom('profiles').selectAll().execute()
  const identifiers = await core.database.db
    .selectFrom('identifiers')
    .select(['kind', 'value', 'customer_id'])
    .execute()
  return Object.fromEntries(
    profiles
      .map(({ customer_id, ...columns }) => {
        const own = identifiers.filter((identifier) => identifier.customer_id === customer_id)
        return [
          own
            .map(({ kind, value }) => `${kind}:${value}`)
            .toSorted()
            .join(' '),
          columns,
        ] as const
      })
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  )
}

const day = (text: string) => `${text}T10:00:00+08:00`
const paid = (userId: string, order: string, total: number | string, at = '2026-02-20') => ({
  type: 'track',
  event: 'Order Completed',
  messageId: `${order}-paid`,
  userId,
  timestamp: day(at),
  properties: { order_id: order, total },
})

describe.each(engines)('on %s', (engine) => {
  test('a customer is the sum of its events', async () => {
    await using core = await createTestCore({ engine })
    core.declare(ORDERS)
    await core.send(
      paid('c1', 'A', '19.99', '2026-02-10'),
      paid('c1', 'B', 0.01, '2026-02-20'),
      {
        type: 'track',
        event: 'order.refunded',
        messageId: 'r',
        userId: 'c1',
        timestamp: day('2026-02-21'),
        properties: { order_id: 'A', amount: 5 },
      },
      {
        type: 'track',
        event: 'product.viewed',
        messageId: 'v',
        userId: 'c1',
        timestamp: day('2026-02-28'),
        properties: { category: 'serum', weight: 0.1 },
      },
      {
        type: 'identify',
        messageId: 'i',
        userId: 'c1',
        timestamp: day('2026-02-01'),
        traits: { name: '林知夏', address: { city: '上海' } },
      },
    )
    await core.settle()
    expect(Object.values(await profilesOf(core))).toMatchObject([
      {
        key: 'c1',
        event_count: 5,
        t_name: '林知夏',
        t_city: '上海',
        shop_orders: 2,
        shop_net: 1_500,
        shop_basket: 1_000,
        shop_last: Date.parse(day('2026-02-20')),
        shop_category: 'serum',
        shop_kinds: 1,
        shop_gap: 10 * 86_400_000,
        shop_views_7d: 1,
        shop_weight: 0.1,
      },
    ])
  })

  test('a repeated message changes nothing', async () => {
    await using core = await createTestCore({ engine })
    core.declare(ORDERS)
    expect(await core.send(paid('c1', 'A', 10))).toEqual({ accepted: 1, duplicates: 0 })
    expect(await core.send(paid('c1', 'A', 10), paid('c1', 'A', 10))).toEqual({ accepted: 0, duplicates: 2 })
    await core.settle()
    expect(Object.values(await profilesOf(core))).toMatchObject([{ shop_orders: 1, event_count: 1 }])
  })

  test('a later version of an order takes the place of the earlier, whichever comes first', async () => {
    const earlier = {
      ...paid('c1', 'A', 100),
      messageId: 'a1',
      context: { version: Date.parse(day('2026-02-20')) },
    }
    const later = {
      ...paid('c1', 'A', 80),
      messageId: 'a2',
      context: { version: Date.parse(day('2026-02-22')) },
    }
    for (const order of [
      [earlier, later],
      [later, earlier],
    ]) {
      await using core = await createTestCore({ engine })
      core.declare(ORDERS)
      for (const message of order) {
        await core.send(message)
        await core.settle()
      }
      expect(Object.values(await profilesOf(core))).toMatchObject([{ shop_orders: 1, shop_net: 8_000 }])
    }
  })

  test('a phone joins what a shop and a mini program knew apart, and a split takes them apart again', async () => {
    await using core = await createTestCore({ engine })
    core.declare(ORDERS)
    const buyer = { context: { externalIds: [{ type: 'buyer_id:tmall', id: 'qing' }] }, userId: undefined }
    await core.send({ ...paid('', 'A', 10), ...buyer }, paid('mini-7', 'B', 20))
    await core.settle()
    expect(Object.keys(await profilesOf(core))).toEqual(['buyer_id:tmall:qing', 'user_id:mini-7'])
    await core.send(
      {
        type: 'identify',
        messageId: 'i1',
        ...buyer,
        traits: { phone: '138 0013 8000' },
        timestamp: day('2026-02-21'),
      },
      {
        type: 'identify',
        messageId: 'i2',
        userId: 'mini-7',
        traits: { phone: '+8613800138000' },
        timestamp: day('2026-02-21'),
      },
    )
    await core.settle()
    expect(await profilesOf(core)).toMatchObject({
      'buyer_id:tmall:qing phone:+8613800138000 user_id:mini-7': {
        shop_orders: 2,
        shop_net: 3_000,
        key: 'mini-7',
      },
    })
    await core.events.append([
      {
        message_id: 'split',
        source: 'core',
        type: 'identity',
        name: 'identity.split',
        ts: core.clock.now(),
        version: core.clock.now(),
        body: JSON.stringify({
          properties: {
            left: [{ kind: 'user_id', value: 'mini-7' }],
            right: [
              { kind: 'phone', value: '+8613800138000' },
              { kind: 'buyer_id:tmall', value: 'qing' },
            ],
          },
        }),
      },
    ])
    await core.settle()
    expect(await profilesOf(core)).toMatchObject({
      'buyer_id:tmall:qing phone:+8613800138000': { shop_orders: 1, shop_net: 1_000 },
      'user_id:mini-7': { shop_orders: 1, shop_net: 2_000 },
    })
  })

  test('a tablet that many customers sign in on joins nobody', async () => {
    await using core = await createTestCore({ engine })
    core.declare(ORDERS)
    const onTablet = { anonymousId: 'tablet', type: 'identify', traits: {} }
    await core.send(
      { ...onTablet, messageId: '2', userId: 'second', timestamp: day('2026-02-02') },
      { ...onTablet, messageId: '1', userId: 'first', timestamp: day('2026-02-01') },
      { type: 'page', messageId: '3', anonymousId: 'tablet', timestamp: day('2026-02-03') },
    )
    await core.settle()
    expect(await profilesOf(core)).toMatchObject({
      'anonymous_id:tablet user_id:first': { event_count: 2 },
      'user_id:second': { event_count: 1 },
    })
  })

  test('a window moves when only time passes', async () => {
    await using core = await createTestCore({ engine, now: day('2026-02-20') })
    core.declare(ORDERS)
    await core.send({
      type: 'track',
      event: 'product.viewed',
      messageId: 'v',
      userId: 'c',
      timestamp: day('2026-02-20'),
    })
    await core.settle()
    const views = async () =>
      (Object.values(await profilesOf(core))[0] as Record<string, unknown>)['shop_views_7d']
    expect(await views()).toBe(1)
    core.clock.set(day('2026-02-26'))
    await core.settle()
    expect(await views()).toBe(1)
    core.clock.set(day('2026-02-27'))
    // This stage alone: segments would read the changes and take them away.
    while (await core.profiles.advance()) continue
    expect(await views()).toBe(0)
    const changes = await core.database.db
      .selectFrom('profile_changes')
      .select('columns')
      .orderBy('seq', 'desc')
      .executeTakeFirstOrThrow()
    expect(changes.columns).toBe('["shop_views_7d"]')
  })

  test('features of a plugin that is switched on later cover what happened before', async () => {
    await using core = await createTestCore({ engine })
    await core.send(paid('c1', 'A', 10), {
      ...paid('c1', 'A', 12),
      messageId: 'later',
      context: { version: core.clock.now() },
    })
    await core.settle()
    expect(Object.values(await profilesOf(core))).toMatchObject([{ event_count: 2 }])
    core.declare(ORDERS)
    await core.settle()
    expect(Object.values(await profilesOf(core))).toMatchObject([{ shop_orders: 1, shop_net: 1_200 }])
  })

  test(
    'neither order of arrival, nor repetition, nor replay changes a profile',
    { timeout: 120_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(messages, fc.infiniteStream(fc.nat()), async (sent, numbers) => {
          await using first = await createTestCore({ engine })
          await using second = await createTestCore({ engine })
          first.declare(ORDERS)
          second.declare(ORDERS)
          await first.send(...sent)
          await first.settle()
          const shuffled = shuffle([...sent, ...sent.slice(0, 5)], numbers)
          for (let at = 0; at < shuffled.length;) {
            const size = 1 + ((numbers.next().value as number) % 7)
            await second.send(...shuffled.slice(at, at + size))
            await second.settle()
            at += size
          }
          const expected = await profilesOf(first)
          expect(await profilesOf(second)).toEqual(expected)
          await transact(second.database.db, rewindProfiles)
          await second.settle()
          expect(await profilesOf(second)).toEqual(expected)
          const { n } = await second.database.db
            .selectFrom('timeline')
            .select(sql<number>`count(*)`.as('n'))
            .executeTakeFirstOrThrow()
          expect(n).toBe(new Set(sent.map((message) => message.messageId)).size)
        }),
        { numRuns: engine === 'sqlite' ? 16 : 4 },
      )
    },
  )
})

const who = fc.record({
  userId: fc.option(fc.constantFrom('u1', 'u2', 'u3'), { nil: undefined }),
  anonymousId: fc.option(fc.constantFrom('d1', 'd2'), { nil: undefined }),
  phone: fc.option(fc.constantFrom('13800138000', '13900139000'), { nil: undefined }),
})

const message = fc
  .tuple(
    who,
    fc.integer({ min: 0, max: 40 }),
    fc.constantFrom('order.paid', 'order.refunded', 'product.viewed', 'identify'),
    fc.constantFrom('A', 'B', 'C'),
    fc.integer({ min: 1, max: 9_999 }),
  )
  .filter(([{ userId, anonymousId, phone }]) => Boolean(userId ?? anonymousId ?? phone))
  .map(([{ userId, anonymousId, phone }, hours, event, thing, cents]) => ({
    type: event === 'identify' ? 'identify' : 'track',
    event,
    userId,
    anonymousId,
    timestamp: new Date(Date.parse('2026-02-20T00:00:00+08:00') + hours * 7 * 3_600_000).toISOString(),
    context: { externalIds: phone ? [{ type: 'phone', id: phone }] : [], version: hours % 3 },
    properties: {
      order_id: thing,
      total: cents / 100,
      amount: cents / 1000,
      category: `k${thing}`,
      weight: cents / 997,
    },
    traits: event === 'identify' ? { city: `city${cents % 5}`, level: cents % 3 } : undefined,
  }))

const messages = fc
  .array(message, { minLength: 1, maxLength: 30 })
  .map((list) => list.map((entry, index) => ({ ...entry, messageId: `m${index}` })))

function shuffle<T>(list: T[], numbers: Iterator<number>): T[] {
  return list
    .map((value) => ({ value, rank: numbers.next().value as number }))
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ value }) => value)
}
