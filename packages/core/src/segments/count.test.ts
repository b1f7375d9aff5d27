import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createShop, engines, type Shop } from '../../test/shop-fixture.ts'
import { countRule } from './count.ts'
import { parseRule, type Rule } from './rule.ts'

const day = (text: string) => Date.parse(`${text}:00+08:00`)

async function createFilledShop(engine: (typeof engines)[number]) {
  const shop = await createShop(engine)
  await shop.addColumns([
    { name: 't_city', type: 'text' },
    { name: 't_email', type: 'text', pii: true },
    { name: 'commerce_orders', type: 'integer' },
    { name: 'commerce_rate', type: 'number' },
    { name: 'commerce_last_order_at', type: 'time' },
    { name: 't_subscribed', type: 'boolean' },
  ])
  await shop.put([
    {
      customer_id: 1,
      t_city: '上海',
      t_email: 'Li.100%@example.com',
      commerce_orders: 5,
      commerce_rate: 0.5,
      commerce_last_order_at: day('2026-11-21T09:00'),
      t_subscribed: 1,
    },
    {
      customer_id: 2,
      t_city: '北京',
      t_email: 'wang_1@example.com',
      commerce_orders: 2,
      commerce_rate: 1.5,
      commerce_last_order_at: day('2026-11-15T00:00'),
      t_subscribed: 0,
    },
    {
      customer_id: 3,
      t_city: '上海',
      t_email: 'LI.200@EXAMPLE.COM',
      commerce_orders: 1,
      commerce_last_order_at: day('2026-11-14T23:59'),
    },
    { customer_id: 4, t_email: 'chen@example.com', commerce_orders: 0 },
  ])
  await shop.happen([
    {
      customer_id: 1,
      name: 'order.paid',
      ts: day('2026-11-21T09:00'),
      value: 9900,
      properties: {
        shop: 'tmall',
        amount: 99,
        gift: true,
        items: [{ category: '羽绒服', tags: ['new'] }, { category: '围巾' }],
      },
    },
    {
      customer_id: 1,
      name: 'order.paid',
      ts: day('2026-08-24T00:00'),
      value: 5000,
      properties: { shop: 'jd', amount: 50.5, gift: false },
    },
    {
      customer_id: 1,
      name: 'order.paid',
      ts: day('2026-08-23T23:59'),
      value: 5000,
      properties: { shop: 'tmall', amount: 50 },
    },
    {
      customer_id: 2,
      name: 'order.paid',
      ts: day('2026-11-15T00:00'),
      value: 100,
      properties: { shop: 'tmall', amount: '99' },
    },
    {
      customer_id: 2,
      name: 'order.paid',
      ts: day('2026-11-16T00:00'),
      value: 100,
      current: 0,
      properties: { shop: 'tmall' },
    },
    {
      customer_id: 3,
      name: 'product.viewed',
      ts: day('2026-11-20T12:00'),
      properties: { category: '羽绒服' },
    },
  ])
  return shop
}

describe.each(engines)('counting on %s', (engine) => {
  let shop: Shop
  beforeAll(async () => void (shop = await createFilledShop(engine)))
  afterAll(() => shop[Symbol.asyncDispose]())

  test.each<[string, Rule, number]>([
    ['everybody', { all: [] }, 4],
    ['nobody', { any: [] }, 0],
    ['city is', { all: [{ column: 't_city', op: 'is', value: '上海' }] }, 2],
    ['without a city one is not in it', { all: [{ column: 't_city', op: 'is_not', value: '上海' }] }, 2],
    ['not', { all: [{ not: { column: 't_city', op: 'in', value: ['上海', '北京'] } }] }, 1],
    ['not not', { all: [{ not: { not: { column: 't_city', op: 'is', value: '北京' } } }] }, 1],
    ['city is set', { all: [{ column: 't_city', op: 'is_set' }] }, 3],
    ['city is not set', { all: [{ column: 't_city', op: 'is_not_set' }] }, 1],
    ['contains, whatever the case', { all: [{ column: 't_email', op: 'contains', value: 'li.' }] }, 2],
    ['a percent sign is a percent sign', { all: [{ column: 't_email', op: 'contains', value: '0%@' }] }, 1],
    ['an underscore is an underscore', { all: [{ column: 't_email', op: 'contains', value: 'g_1' }] }, 1],
    ['an exclamation mark is itself', { all: [{ column: 't_email', op: 'contains', value: '!' }] }, 0],
    ['starts with', { all: [{ column: 't_email', op: 'starts_with', value: 'LI' }] }, 2],
    ['does not contain', { all: [{ column: 't_city', op: 'not_contains', value: '海' }] }, 2],
    ['at least', { all: [{ column: 'commerce_orders', op: 'gte', value: 2 }] }, 2],
    ['a fraction against whole numbers', { all: [{ column: 'commerce_orders', op: 'gt', value: 1.5 }] }, 2],
    ['between', { all: [{ column: 'commerce_orders', op: 'between', value: [1, 2] }] }, 2],
    ['one of some numbers', { all: [{ column: 'commerce_rate', op: 'in', value: [0.5, 7] }] }, 1],
    ['yes', { all: [{ column: 't_subscribed', op: 'true' }] }, 1],
    ['no is said, not missing', { all: [{ column: 't_subscribed', op: 'false' }] }, 1],
    [
      'within 7 business days',
      { all: [{ column: 'commerce_last_order_at', op: 'within_days', value: 7 }] },
      2,
    ],
    [
      'longer ago than 7 days',
      { all: [{ column: 'commerce_last_order_at', op: 'before_days', value: 7 }] },
      1,
    ],
    [
      'on a day or later',
      { all: [{ column: 'commerce_last_order_at', op: 'on_or_after', value: '2026-11-15' }] },
      2,
    ],
    [
      'before a day',
      { all: [{ column: 'commerce_last_order_at', op: 'before', value: day('2026-11-15T00:00') }] },
      1,
    ],
    [
      'both days belong',
      { all: [{ column: 'commerce_last_order_at', op: 'between', value: ['2026-11-14', '2026-11-15'] }] },
      2,
    ],
    ['did it', { all: [{ event: 'order.paid', count: { op: '>=', value: 1 } }] }, 2],
    ['did it never', { all: [{ event: 'order.paid', count: { op: '=', value: 0 } }] }, 2],
    ['did it at most once, or never', { all: [{ event: 'order.paid', count: { op: '<=', value: 1 } }] }, 3],
    [
      'did it exactly twice in 90 days',
      { all: [{ event: 'order.paid', count: { op: '=', value: 2 }, within: { days: 90 } }] },
      1,
    ],
    ['at least zero times', { all: [{ event: 'order.paid', count: { op: '>=', value: 0 } }] }, 4],
    [
      'property is',
      {
        all: [
          {
            event: 'order.paid',
            where: [{ property: 'shop', op: 'is', value: 'tmall' }],
            count: { op: '>=', value: 2 },
          },
        ],
      },
      1,
    ],
    [
      'property is not',
      {
        all: [
          {
            event: 'order.paid',
            where: [{ property: 'shop', op: 'is_not', value: 'tmall' }],
            count: { op: '>=', value: 1 },
          },
        ],
      },
      1,
    ],
    [
      'property is a number, also as text',
      {
        all: [
          {
            event: 'order.paid',
            where: [{ property: 'amount', op: 'is', value: 99 }],
            count: { op: '>=', value: 1 },
          },
        ],
      },
      2,
    ],
    [
      'property is a fraction',
      {
        all: [
          {
            event: 'order.paid',
            where: [{ property: 'amount', op: 'in', value: ['50.5'] }],
            count: { op: '>=', value: 1 },
          },
        ],
      },
      1,
    ],
    [
      'property compares as a number',
      {
        all: [
          {
            event: 'order.paid',
            where: [{ property: 'amount', op: 'gte', value: 60 }],
            count: { op: '>=', value: 1 },
          },
        ],
      },
      1,
    ],
    [
      'property is true',
      {
        all: [
          { event: 'order.paid', where: [{ property: 'gift', op: 'true' }], count: { op: '>=', value: 1 } },
        ],
      },
      1,
    ],
    [
      'property contains',
      {
        all: [
          {
            event: 'product.viewed',
            where: [{ property: 'category', op: 'contains', value: '绒' }],
            count: { op: '>=', value: 1 },
          },
        ],
      },
      1,
    ],
    [
      'property is set',
      {
        all: [
          {
            event: 'order.paid',
            where: [{ property: 'gift', op: 'is_not_set' }],
            count: { op: '>=', value: 1 },
          },
        ],
      },
      2,
    ],
    [
      'a path through a list',
      {
        all: [
          {
            event: 'order.paid',
            where: [{ property: 'items.category', op: 'is', value: '围巾' }],
            count: { op: '>=', value: 1 },
          },
        ],
      },
      1,
    ],
    [
      'a list at the end of a path',
      {
        all: [
          {
            event: 'order.paid',
            where: [{ property: 'items.tags', op: 'contains', value: 'NE' }],
            count: { op: '>=', value: 1 },
          },
        ],
      },
      1,
    ],
    [
      'none of a list',
      {
        all: [
          {
            event: 'order.paid',
            where: [{ property: 'items.category', op: 'is_not', value: '围巾' }],
            count: { op: '>=', value: 1 },
          },
        ],
      },
      2,
    ],
    [
      'a path that leads nowhere',
      {
        all: [
          {
            event: 'order.paid',
            where: [{ property: 'shop.items.x', op: 'is_set' }],
            count: { op: '>=', value: 1 },
          },
        ],
      },
      0,
    ],
    [
      'either',
      {
        any: [
          { column: 't_city', op: 'is', value: '北京' },
          { event: 'product.viewed', count: { op: '>=', value: 1 } },
        ],
      },
      2,
    ],
  ])('%s', async (_, rule, expected) => {
    expect(await countRule(shop, parseRule(rule))).toMatchObject({ count: expected, total: 4 })
  })
})
