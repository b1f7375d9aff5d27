import { createTestCore, engines, type TestCore } from '@huitou/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { transact } from '../db/database.ts'
import { rewindProfiles } from '../profiles/stage.ts'
import { createSegment } from './queries.ts'
import type { Rule } from './rule.ts'

const SHOP = {
  events: [
    { name: 'order.paid', title: 'Paid', key: ['order_id'], value: 'total', valueType: 'money' as const },
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
      id: 'orders_3d',
      title: 'Orders',
      events: [{ name: 'order.paid' }],
      aggregate: 'count' as const,
      windowDays: 3,
      type: 'integer' as const,
    },
  ],
}

const RULES: Record<string, Rule> = {
  buyers: { all: [{ column: 'shop_orders', op: 'gte', value: 1 }] },
  recent: { all: [{ column: 'shop_orders_3d', op: 'gte', value: 1 }] },
  lookers: {
    all: [
      { event: 'product.viewed', count: { op: '>=', value: 2 }, within: { days: 4 } },
      { not: { event: 'order.paid', count: { op: '>=', value: 1 } } },
    ],
  },
  elsewhere: { all: [{ column: 't_city', op: 'is_not', value: '上海' }] },
  dear: {
    any: [
      {
        event: 'order.paid',
        where: [{ property: 'total', op: 'gte', value: 50 }],
        count: { op: '>=', value: 1 },
      },
      { column: 't_city', op: 'is', value: '杭州' },
    ],
  },
}

/** Members of each segment, by the stable key of the customer. */
async function membersOf(core: TestCore): Promise<Record<string, string[]>> {
  const rows = await core.database.db
    .selectFrom('segment_members')
    .innerJoin('segments', 'segments.id', 'segment_members.segment_id')
    .innerJoin('profiles', 'profiles.customer_id', 'segment_members.customer_id')
    .select(['segments.name', 'profiles.key'])
    .execute()
  return Object.fromEntries(
    Object.keys(RULES).map((name) => [
      name,
      rows
        .filter((row) => row.name === name)
        .map(({ key }) => key)
        .toSorted(),
    ]),
  )
}

async function shopWithSegments(engine: 'sqlite' | 'postgres') {
  const core = await createTestCore({ engine, now: '2026-03-01T12:00:00+08:00' })
  core.declare(SHOP)
  await core.settle()
  for (const [name, rule] of Object.entries(RULES)) await createSegment(core, { name, rule })
  await core.settle()
  return core
}

describe.each(engines)('on %s', (engine) => {
  test(
    'neither order of arrival, repetition, splitting nor replay changes who is in a segment',
    { timeout: 120_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(messages, fc.infiniteStream(fc.nat()), async (sent, numbers) => {
          await using first = await shopWithSegments(engine)
          await using second = await shopWithSegments(engine)
          await first.send(...sent)
          await first.settle()
          const expected = await membersOf(first)
          const shuffled = [...sent, ...sent.slice(0, 4)]
            .map((value) => ({ value, rank: numbers.next().value as number }))
            .toSorted((a, b) => a.rank - b.rank)
          for (let at = 0; at < shuffled.length; at += 3) {
            await second.send(...shuffled.slice(at, at + 3).map(({ value }) => value))
            await second.settle()
          }
          expect(await membersOf(second)).toEqual(expected)
          await transact(second.database.db, rewindProfiles)
          await second.settle()
          expect(await membersOf(second)).toEqual(expected)
          // And when only time passes, both move alike.
          for (const core of [first, second]) {
            core.clock.advance(2 * 86_400_000)
            await core.settle()
          }
          expect(await membersOf(second)).toEqual(await membersOf(first))
        }),
        { numRuns: engine === 'sqlite' ? 10 : 3 },
      )
    },
  )
})

const messages = fc
  .array(
    fc.tuple(
      fc.constantFrom('u1', 'u2', 'u3', undefined),
      fc.constantFrom('13800138000', '13900139000', undefined),
      fc.integer({ min: 0, max: 8 }),
      fc.constantFrom('order.paid', 'product.viewed', 'identify'),
      fc.integer({ min: 1, max: 99 }),
    ),
    { minLength: 1, maxLength: 20 },
  )
  .map((list) =>
    list.map(([userId, phone, daysAgo, event, number], index) => ({
      messageId: `m${index}`,
      type: event === 'identify' ? 'identify' : 'track',
      event,
      userId: userId ?? (phone ? undefined : 'u9'),
      context: { externalIds: phone ? [{ type: 'phone', id: phone }] : [] },
      timestamp: new Date(Date.parse('2026-03-01T10:00:00+08:00') - daysAgo * 86_400_000).toISOString(),
      properties: { order_id: `o${number % 5}`, total: number },
      traits: event === 'identify' ? { city: number % 2 ? '上海' : '杭州' } : undefined,
    })),
  )
