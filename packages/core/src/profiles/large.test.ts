import { createTestCore, engines, type TestCore } from '@huitou/testing'
import type { KyselyPlugin } from 'kysely'
import { describe, expect, test } from 'vitest'
import { BusinessDays } from '../days.ts'
import { transact } from '../db/database.ts'
import { normalizeMessage } from '../events/normalize.ts'
import { readColumns, TRAIT_COLUMN_LIMIT } from './columns.ts'
import { type Projection, projectEvents } from './project.ts'
import { getCustomer, readTimeline } from './queries.ts'
import { refold } from './refold.ts'

const START = Date.parse('2026-01-01T00:00:00+08:00')
const MINUTE = 60_000

const ORDERS = {
  events: [
    { name: 'order.paid', title: 'Paid', key: ['order_id'], value: 'total', valueType: 'money' as const },
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
      id: 'spend',
      title: 'Spend',
      events: [{ name: 'order.paid' }],
      aggregate: 'sum' as const,
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
      id: 'orders_30d',
      title: 'Recent',
      events: [{ name: 'order.paid' }],
      aggregate: 'count' as const,
      windowDays: 30,
      type: 'integer' as const,
    },
  ],
}

const order = (index: number) => ({
  type: 'track',
  event: 'order.paid',
  messageId: `order-${index}`,
  userId: 'wholesaler',
  // Two at a time, so that times alone do not tell them apart.
  timestamp: new Date(START + Math.floor(index / 2) * MINUTE).toISOString(),
  properties: { order_id: String(index), total: '0.10' },
})

async function sendOrders(core: TestCore, count: number): Promise<void> {
  for (let from = 0; from < count; from += 5_000) {
    await core.send(
      ...Array.from({ length: Math.min(5_000, count - from) }, (_, index) => order(from + index)),
    )
  }
}

async function projectionOf(core: TestCore): Promise<Projection> {
  const days = new BusinessDays('Asia/Shanghai')
  return { definitions: await core.profiles.definitions(), days, today: days.dayOf(core.clock.now()) }
}

/** Counts the rows that queries bring back. */
function counter(): KyselyPlugin & { rows: number; most: number } {
  return {
    rows: 0,
    most: 0,
    transformQuery: ({ node }) => node,
    async transformResult({ result }) {
      this.rows += result.rows.length
      this.most = Math.max(this.most, result.rows.length)
      return result
    },
  }
}

async function folded({ database: { db } }: TestCore) {
  const { customer_id: _id, ...profile } = await db
    .selectFrom('profiles')
    .selectAll()
    .executeTakeFirstOrThrow()
  const { state } = await db.selectFrom('profile_states').select('state').executeTakeFirstOrThrow()
  return { profile, state: JSON.parse(state) as object }
}

/** Events of one customer: a wholesaler, or the till of a shop. */
const EVENTS = { sqlite: 40_000, postgres: 12_000 }

describe.each(engines)('one customer with very many events, on %s', (engine) => {
  test(
    'each batch reads as much as the one before, pages show every event once, and folding afresh changes nothing',
    { timeout: 300_000 },
    async () => {
      const count = EVENTS[engine]
      await using core = await createTestCore({ engine })
      core.declare(ORDERS)
      await core.settle()
      await sendOrders(core, count)
      const { db } = core.database
      const projection = await projectionOf(core)

      const batches: number[] = []
      for (;;) {
        const read = counter()
        const events = await transact(db.withPlugin(read), (tx) => projectEvents(tx, projection, 2_000))
        if (events === 0) break
        batches.push(read.rows)
      }
      expect(batches).toHaveLength(count / 2_000)
      // The events of the batch, what they were attributed to, and a handful of rows about the customer: no more with
      // the last batch than with the second.
      expect(new Set(batches.slice(1)).size).toBe(1)
      expect(batches[1]).toBeLessThan(2 * 2_000 + 100)

      const before = await folded(core)
      expect(before.profile).toMatchObject({
        key: 'wholesaler',
        event_count: count,
        shop_orders: count,
        shop_spend: count * 10,
      })
      expect(JSON.stringify(before.state).length).toBeLessThan(10_000)

      const { customer_id: customer } = await db
        .selectFrom('profiles')
        .select('customer_id')
        .executeTakeFirstOrThrow()
      const seen = new Set<number>()
      const times: number[] = []
      for (let next: string | null = ''; next !== null;) {
        const page: Awaited<ReturnType<typeof readTimeline>> = await readTimeline(db, customer, {
          before: next || undefined,
          limit: 200,
        })
        for (const { seq, ts } of page.entries) {
          times.push(ts)
          seen.add(seq)
        }
        next = page.next
      }
      expect(seen.size).toBe(count)
      expect(times.every((ts, index) => index === 0 || ts <= times[index - 1]!)).toBe(true)

      const read = counter()
      await transact(db.withPlugin(read), (tx) => refold(tx, [customer], projection))
      expect(await folded(core)).toEqual(before)
      expect(read.rows).toBeLessThan(count + 100)
      expect(read.most).toBeLessThanOrEqual(5_000)
    },
  )

  test('folding many customers afresh reads each event once, pages full', async () => {
    await using core = await createTestCore({ engine })
    core.declare(ORDERS)
    // Some with two orders, one with more than a page.
    await core.send(
      ...Array.from({ length: 400 }, (_, index) => ({
        ...order(index),
        messageId: `small-${index}`,
        userId: `c${index % 200}`,
      })),
    )
    await sendOrders(core, 6_000)
    await core.settle()
    const { db } = core.database
    const profiles = () => db.selectFrom('profiles').selectAll().orderBy('customer_id').execute()
    const before = await profiles()
    const read = counter()
    const projection = await projectionOf(core)
    await transact(db.withPlugin(read), (tx) =>
      refold(
        tx,
        before.map(({ customer_id }) => customer_id),
        projection,
      ),
    )
    expect(await profiles()).toEqual(before)
    expect(before).toHaveLength(201)
    expect(read.most).toBeLessThanOrEqual(5_000)
    expect(read.rows).toBeLessThan(6_400 + 2 * 201 + 100)
  })
})

describe.each(engines)('ten thousand traits, on %s', (engine) => {
  const traits = (from: number, to: number) =>
    Object.fromEntries(Array.from({ length: to - from }, (_, index) => [`k${from + index}`, index]))

  test('in one call they are more than an event may hold, and that is said', () => {
    const event = normalizeMessage(
      { type: 'identify', userId: 'c1', traits: traits(0, 10_000) },
      { source: 'test', receivedAt: START },
    )
    expect(event).toMatchObject({
      code: 'E_EVENT_TOO_LARGE',
      message: expect.stringContaining('32 KB') as string,
    })
  })

  test('over several calls all stay in the log, the columns end at their limit, and a name is never crowded out', async () => {
    await using core = await createTestCore({ engine })
    for (let from = 0; from < 10_000; from += 2_000) {
      await core.send({
        type: 'identify',
        messageId: `i${from}`,
        userId: 'c1',
        timestamp: '2026-02-01T00:00:00Z',
        traits: traits(from, from + 2_000),
      })
    }
    await core.send({
      type: 'identify',
      messageId: 'name',
      userId: 'c1',
      timestamp: '2026-02-01T00:00:00Z',
      traits: { name: '林知夏', zodiac: 'ox' },
    })
    await core.settle()
    const { db } = core.database
    const events = await db.selectFrom('events').select('body').execute()
    const logged = new Set(
      events.flatMap(({ body }) => Object.keys((JSON.parse(body) as { traits: object }).traits)),
    )
    expect(logged.size).toBe(10_002)
    const columns = (await readColumns(db)).filter(({ kind }) => kind === 'trait')
    expect(columns).toHaveLength(TRAIT_COLUMN_LIMIT)
    const { customer_id } = await db.selectFrom('profiles').select('customer_id').executeTakeFirstOrThrow()
    expect(await getCustomer(db, customer_id)).toMatchObject({
      name: '林知夏',
      eventCount: 6,
      columns: { t_k0: '0' },
    })
  })
})

test('money that goes below zero is kept to the cent', async () => {
  await using core = await createTestCore()
  core.declare(ORDERS)
  const totals = ['-19.99', '-0.01', '5', '-1234567.89']
  await core.send(
    ...totals.map((total, index) => ({
      ...order(index),
      userId: 'c1',
      properties: { order_id: String(index), total },
    })),
  )
  await core.settle()
  const { customer_id } = await core.database.db
    .selectFrom('profiles')
    .select('customer_id')
    .executeTakeFirstOrThrow()
  expect((await getCustomer(core.database.db, customer_id)).columns['shop_spend']).toBe(-123_458_289)
  const { entries } = await readTimeline(core.database.db, customer_id, { limit: 10 })
  expect(entries.map(({ value }) => value).toSorted((a, b) => a! - b!)).toEqual([
    -123_456_789, -1_999, -1, 500,
  ])
})
