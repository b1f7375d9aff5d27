import { toNumberVector, toTextVector } from '@huitou/plugin-api'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createShop, engines, type FixtureEvent, type Shop } from '../../test/shop-fixture.ts'
import { aggregateCustomers, eventSeries, eventsPerCustomer, readCustomers } from './plugin-queries.ts'

/** What the shop is to a plugin that may see everything but personal data. */
const seen = (shop: Shop) => ({
  database: shop.database,
  points: shop.points,
  brand: () => shop.brand(),
  reader: { id: 'test.p', columnPrefix: 'p', permissions: { 'profile.read': ['*'], 'events.read': ['*'] } },
})
const at = (text: string) => Date.parse(text)

describe.each(engines)('what plugins ask on %s', (engine) => {
  let shop: Shop
  beforeAll(async () => {
    shop = await createShop(engine)
    await shop.addColumns([
      { name: 't_city', type: 'text' },
      { name: 'commerce_orders', type: 'integer' },
      { name: 'commerce_rate', type: 'number' },
      { name: 't_subscribed', type: 'boolean' },
    ])
    await shop.put([
      { customer_id: 5, t_city: '上海', commerce_orders: 3, commerce_rate: 0.5, t_subscribed: 1 },
      { customer_id: 2, t_city: '北京', commerce_orders: 1 },
      { customer_id: 9, t_city: '上海', commerce_orders: 4, commerce_rate: 1.5, t_subscribed: 0 },
      { customer_id: 7 },
    ])
    await shop.database.db
      .insertInto('segment_members')
      .values([2, 9].map((customer_id) => ({ segment_id: 's', customer_id, entered_at: 0 })))
      .execute()
    await shop.happen([
      {
        customer_id: 9,
        name: 'order.paid',
        ts: 2_000,
        value: 100,
        properties: { shop: 'tmall', items: [{ category: 'a' }, { category: 'b' }] },
      },
      { customer_id: 5, name: 'order.paid', ts: 1_000, value: 50, properties: { shop: 'jd' } },
      {
        customer_id: 9,
        name: 'order.paid',
        ts: 1_500,
        value: 20,
        properties: { shop: 'tmall', items: [{ category: 'b' }] },
      },
      {
        customer_id: 9,
        name: 'order.paid',
        ts: 1_600,
        value: 999,
        current: 0,
        properties: { shop: 'tmall' },
      },
      { customer_id: 5, name: 'product.viewed', ts: 5_000 },
    ])
  })
  afterAll(() => shop[Symbol.asyncDispose]())

  test('columns of everybody in order of ids', async () => {
    const batch = await readCustomers(seen(shop), { columns: ['t_city', 'commerce_orders', 't_subscribed'] })
    expect([...batch.ids]).toEqual([2, 5, 7, 9])
    expect(batch.columns['t_city']).toEqual(toTextVector(['北京', '上海', null, '上海']))
    expect(batch.columns['commerce_orders']).toEqual(toNumberVector([1, 3, null, 4]))
    expect(batch.columns['t_subscribed']).toEqual(toNumberVector([null, 1, null, 0]))
    expect([...(await readCustomers(seen(shop), { columns: [], segmentId: 's' })).ids]).toEqual([2, 9])
    await expect(readCustomers(seen(shop), { columns: ['nope'] })).rejects.toMatchObject({
      code: 'E_RULE_COLUMN',
    })
  })

  test('groups with counts and figures', async () => {
    const measures = {
      n: { count: true },
      orders: { sum: 'commerce_orders' },
      rate: { mean: 'commerce_rate' },
      least: { min: 'commerce_orders' },
    } as const
    expect(
      await aggregateCustomers(seen(shop), { groupBy: ['t_city'], measures, having: ['t_city'] }),
    ).toEqual([
      { t_city: '上海', n: 2, orders: 7, rate: 1, least: 3 },
      { t_city: '北京', n: 1, orders: 1, rate: null, least: 1 },
    ])
    expect(
      await aggregateCustomers(seen(shop), {
        measures: { most: { max: 'commerce_orders' }, n: { count: true } },
        segmentId: 's',
      }),
    ).toEqual([{ most: 4, n: 2 }])
    await expect(
      aggregateCustomers(seen(shop), { measures: { x: { sum: 't_city' } } }),
    ).rejects.toMatchObject({
      code: 'E_QUERY',
    })
  })

  test('events of each customer', async () => {
    const batch = await eventsPerCustomer(seen(shop), { events: ['order.paid'], from: 1_000, before: 2_001 })
    expect([...batch.ids]).toEqual([5, 9])
    expect(batch.columns).toEqual({
      count: toNumberVector([1, 2]),
      value: toNumberVector([50, 120]),
      first: toNumberVector([1_000, 1_500]),
      last: toNumberVector([1_000, 2_000]),
      key: toTextVector(['user_id|5', 'user_id|9']),
    })
    const ids = async (where: Record<string, string>) => [
      ...(await eventsPerCustomer(seen(shop), { events: ['order.paid'], where })).ids,
    ]
    expect(await ids({ shop: 'jd' })).toEqual([5])
    expect(await ids({ 'items.category': 'a', shop: 'tmall' })).toEqual([9])
    expect((await eventsPerCustomer(seen(shop), { events: ['product.viewed'] })).columns['value']).toEqual(
      toNumberVector([null]),
    )
    await expect(eventsPerCustomer(seen(shop), { events: [] })).rejects.toMatchObject({ code: 'E_QUERY' })
  })

  test('a series knows days of 23 and 25 hours, weeks from Monday, and months', async () => {
    await using other = await createShop(engine)
    other.settings = { ...other.settings, timeZone: 'America/New_York' }
    await other.put([{ customer_id: 1 }, { customer_id: 2 }])
    await other.happen([
      { customer_id: 1, name: 'a', ts: at('2026-03-08T00:00-05:00'), value: 1 },
      { customer_id: 1, name: 'a', ts: at('2026-03-08T23:59:59.999-04:00'), value: 2 },
      { customer_id: 2, name: 'a', ts: at('2026-03-09T00:00-04:00'), value: 4 },
      { customer_id: 2, name: 'b', ts: at('2026-03-09T00:00-04:00') },
      { customer_id: 1, name: 'a', ts: at('2026-11-01T23:59-05:00'), value: 8 },
    ])
    const series = async (by: 'day' | 'week' | 'month') =>
      (await eventSeries(seen(other), { events: ['a', 'b'], by })).map((point) =>
        Object.values(point).join(' '),
      )
    const days = await eventSeries(seen(other), { events: ['a', 'b'], by: 'day' })
    expect(days).toEqual([
      { period: '2026-03-08', event: 'a', count: 2, value: 3, customers: 1 },
      { period: '2026-03-09', event: 'a', count: 1, value: 4, customers: 1 },
      { period: '2026-03-09', event: 'b', count: 1, value: 0, customers: 1 },
      { period: '2026-11-01', event: 'a', count: 1, value: 8, customers: 1 },
    ])
    expect((await series('week')).length).toBe(4)
    expect(
      (await eventSeries(seen(other), { events: ['a'], by: 'week' })).map(({ period }) => period),
    ).toEqual(['2026-03-02', '2026-03-09', '2026-10-26'])
    expect(
      await eventSeries(seen(other), { events: ['a'], by: 'month', from: at('2026-03-08T12:00-04:00') }),
    ).toEqual([
      { period: '2026-03-01', event: 'a', count: 2, value: 6, customers: 2 },
      { period: '2026-11-01', event: 'a', count: 1, value: 8, customers: 1 },
    ])
    expect(await eventSeries(seen(other), { events: ['c'], by: 'day' })).toEqual([])
  })

  test('days of a series are those of the calendar, whatever the zone', async () => {
    await using other = await createShop(engine)
    const zone = fc.constantFrom(
      'Asia/Kolkata',
      'Australia/Lord_Howe',
      'America/St_Johns',
      'Europe/Berlin',
      'Pacific/Apia',
    )
    const times = fc.array(fc.integer({ min: at('2026-03-01T00:00Z'), max: at('2026-11-30T00:00Z') }), {
      minLength: 1,
      maxLength: 30,
    })
    await fc.assert(
      fc.asyncProperty(zone, times, async (timeZone, instants) => {
        other.settings = { ...other.settings, timeZone }
        await other.database.db.deleteFrom('timeline').execute()
        await other.database.db.deleteFrom('events').execute()
        await other.happen(instants.map((ts): FixtureEvent => ({ customer_id: 1, name: 'a', ts })))
        const expected = new Map<string, number>()
        for (const ts of instants) {
          const day = Temporal.Instant.fromEpochMilliseconds(ts)
            .toZonedDateTimeISO(timeZone)
            .toPlainDate()
            .toString()
          expected.set(day, (expected.get(day) ?? 0) + 1)
        }
        const points = await eventSeries(seen(other), { events: ['a'], by: 'day' })
        expect(points.map(({ period, count }) => [period, count])).toEqual([...expected].toSorted())
      }),
      { numRuns: 15 },
    )
  })
})
