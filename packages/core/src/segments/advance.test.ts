import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  createShop,
  engines,
  type FixtureCustomer,
  type FixtureEvent,
  type Shop,
} from '../../test/shop-fixture.ts'
import { BusinessDays } from '../days.ts'
import { advanceSegments } from './advance.ts'
import { countRule } from './count.ts'
import type { ColumnNode, EventNode, PropertyFilter, Rule, RuleNode } from './rule.ts'

const DAY = 86_400_000
const START = Date.parse('2026-11-21T10:00:00+08:00')

describe.each(engines)('segments on %s', (engine) => {
  let shop: Shop
  beforeAll(async () => {
    shop = await createShop(engine, START)
    await shop.addColumns([
      { name: 't_city', type: 'text' },
      { name: 'commerce_orders', type: 'integer' },
      { name: 'commerce_last_order_at', type: 'time' },
    ])
  })
  afterAll(() => shop[Symbol.asyncDispose]())
  beforeEach(async () => {
    shop.now = START
    for (const table of [
      'profiles',
      'timeline',
      'events',
      'segments',
      'segment_members',
      'segment_changes',
      'segment_days',
      'profile_changes',
      'identifiers',
    ] as const) {
      await shop.database.db.deleteFrom(table).execute()
    }
  })

  test('a new segment is filled, and its members are in the log and in the figures of the day', async () => {
    await shop.put([
      { customer_id: 1, t_city: '上海' },
      { customer_id: 2, t_city: '北京' },
    ])
    await define(shop, 's', { all: [{ column: 't_city', op: 'is', value: '上海' }] })
    await settle(shop)
    expect(await membersOf(shop, 's')).toEqual([1])
    const segment = await shop.database.db.selectFrom('segments').selectAll().executeTakeFirstOrThrow()
    expect(segment).toMatchObject({ member_count: 1, evaluated_day: 20_778, error: null })
    expect(await shop.database.db.selectFrom('segment_days').selectAll().execute()).toEqual([
      { segment_id: 's', day: 20_778, count: 1, entered: 1, left: 0 },
    ])
  })

  test('only rules that look at what changed follow a change', async () => {
    await shop.put([{ customer_id: 1, t_city: '上海', commerce_orders: 1 }])
    await define(shop, 'city', { all: [{ column: 't_city', op: 'is', value: '上海' }] })
    await define(shop, 'orders', { all: [{ column: 'commerce_orders', op: 'gte', value: 2 }] })
    await settle(shop)
    await shop.put([{ customer_id: 1, t_city: '北京', commerce_orders: 2 }])
    await shop.changed([{ customer_id: 1, columns: ['commerce_orders'] }])
    await settle(shop)
    // Nobody said that the city changed.
    expect([await membersOf(shop, 'city'), await membersOf(shop, 'orders')]).toEqual([[1], [1]])
  })

  test('a segment of a segment follows through it', async () => {
    await shop.put([{ customer_id: 1, commerce_orders: 1 }])
    await define(shop, 'loyal', { all: [{ column: 'commerce_orders', op: 'gte', value: 2 }] })
    await define(shop, 'others', { all: [{ not: { segment: 'loyal' } }] })
    await settle(shop)
    expect(await membersOf(shop, 'others')).toEqual([1])
    await shop.put([{ customer_id: 1, commerce_orders: 2 }])
    await shop.changed([{ customer_id: 1, columns: ['commerce_orders'] }])
    await settle(shop)
    expect([await membersOf(shop, 'loyal'), await membersOf(shop, 'others')]).toEqual([[1], []])
  })

  test('members leave when nothing but the day changes', async () => {
    await shop.put([{ customer_id: 1, commerce_last_order_at: START - 29 * DAY }])
    await shop.happen([{ customer_id: 1, name: 'order.paid', ts: START - 29 * DAY }])
    await define(shop, 'column', {
      all: [{ column: 'commerce_last_order_at', op: 'within_days', value: 30 }],
    })
    await define(shop, 'event', {
      all: [{ event: 'order.paid', count: { op: '>=', value: 1 }, within: { days: 30 } }],
    })
    await settle(shop)
    expect([await membersOf(shop, 'column'), await membersOf(shop, 'event')]).toEqual([[1], [1]])
    shop.now = Date.parse('2026-11-21T23:59:59+08:00')
    expect(await advanceSegments(shop)).toBe(false)
    shop.now = Date.parse('2026-11-22T00:00:00+08:00')
    await settle(shop)
    expect([await membersOf(shop, 'column'), await membersOf(shop, 'event')]).toEqual([[], []])
  })

  test('a customer that became part of another leaves, and in a list the other takes its place', async () => {
    const { db } = shop.database
    await shop.put([
      { customer_id: 1, t_city: '北京' },
      { customer_id: 2, t_city: '上海' },
    ])
    await db
      .insertInto('identifiers')
      .values(
        [1, 2].map((id) => ({ id, kind: 'phone', value: `+86${id}`, customer_id: id, first_seen_at: 0 })),
      )
      .execute()
    await define(shop, 'city', { all: [{ column: 't_city', op: 'is', value: '上海' }] })
    await define(shop, 'list', null)
    await define(shop, 'listed', { all: [{ segment: 'list' }] })
    await db
      .insertInto('segment_members')
      .values({ segment_id: 'list', customer_id: 2, entered_at: 0 })
      .execute()
    await settle(shop)
    expect([await membersOf(shop, 'city'), await membersOf(shop, 'listed')]).toEqual([[2], [2]])
    await db.updateTable('identifiers').set({ customer_id: 1 }).execute()
    await shop.remove([2])
    await shop.changed([
      { customer_id: 1, columns: ['*'] },
      { customer_id: 2, columns: ['*'] },
    ])
    await settle(shop)
    expect([
      await membersOf(shop, 'city'),
      await membersOf(shop, 'list'),
      await membersOf(shop, 'listed'),
    ]).toEqual([[], [1], [1]])
  })

  test('a rule that cannot be read keeps its members and says why, and catches up later', async () => {
    await shop.put([
      { customer_id: 1, t_city: '上海' },
      { customer_id: 2, t_city: '北京' },
    ])
    await define(shop, 's', { all: [{ column: 't_city', op: 'is', value: '上海' }] })
    await settle(shop)
    const { db } = shop.database
    await db.updateTable('profile_columns').set({ active: 0 }).where('name', '=', 't_city').execute()
    await shop.put([{ customer_id: 2, t_city: '上海' }])
    await shop.changed([{ customer_id: 2, columns: ['t_city'] }])
    await settle(shop)
    expect(await membersOf(shop, 's')).toEqual([1])
    const { error } = await db.selectFrom('segments').select('error').executeTakeFirstOrThrow()
    expect(JSON.parse(error ?? '')).toMatchObject({
      code: 'E_RULE_COLUMN',
      message: 'There is no column "t_city"',
    })
    await db.updateTable('profile_columns').set({ active: 1 }).where('name', '=', 't_city').execute()
    await settle(shop)
    expect(await membersOf(shop, 's')).toEqual([1, 2])
  })

  test(
    'whatever happens, members are those a fresh look at everything finds',
    { timeout: 120_000 },
    async () => {
      const history = fc.record({
        rules: fc.array(fc.record({ own: rule, before: fc.constantFrom('none', 'in', 'out') }), {
          minLength: 1,
          maxLength: 5,
        }),
        steps: fc.array(
          fc.record({
            put: fc.array(customer, { maxLength: 4 }),
            remove: fc.array(customerId, { maxLength: 1 }),
            events: fc.array(event, { maxLength: 6 }),
            days: fc.nat(3),
          }),
          {
            minLength: 1,
            maxLength: 4,
          },
        ),
      })
      await fc.assert(
        fc.asyncProperty(history, async ({ rules, steps }) => {
          for (const table of [
            'profiles',
            'timeline',
            'events',
            'segments',
            'segment_members',
            'segment_changes',
            'segment_days',
            'profile_changes',
          ] as const) {
            await shop.database.db.deleteFrom(table).execute()
          }
          shop.now = START
          const world: World = { customers: new Map(), events: [], rules: new Map(rules.map(chain)) }
          for (const [id, each] of world.rules) await define(shop, id, each)
          for (const step of steps) {
            await take(shop, world, step)
            await settle(shop)
            for (const [id, each] of world.rules) {
              const expected = [...world.customers.values()]
                .filter((one) => holds(each, one, world, shop.now))
                .map((one) => one.customer_id)
              expect(await membersOf(shop, id)).toEqual(expected.sort((a, b) => a - b))
              expect((await countRule(shop, each)).count).toBe(expected.length)
            }
            await expectLogToAgree(shop)
          }
        }),
        { numRuns: engine === 'sqlite' ? 30 : 12 },
      )
    },
  )
})

interface World {
  customers: Map<number, FixtureCustomer>
  events: FixtureEvent[]
  rules: Map<string, Rule>
}

async function define(shop: Shop, id: string, rule: Rule | null) {
  await shop.database.db
    .insertInto('segments')
    .values({
      id,
      name: id,
      kind: rule ? 'dynamic' : 'static',
      owner: 'test',
      rule: rule && JSON.stringify(rule),
      created_at: 0,
      updated_at: 0,
      evaluated_day: null,
      error: null,
      display: null,
    })
    .execute()
}

async function settle(shop: Shop) {
  for (let turn = 0; await advanceSegments(shop); turn++)
    if (turn > 50) throw new Error('The stage does not come to rest')
}

async function membersOf(shop: Shop, id: string): Promise<number[]> {
  const rows = await shop.database.db
    .selectFrom('segment_members')
    .select('customer_id')
    .where('segment_id', '=', id)
    .orderBy('customer_id')
    .execute()
  return rows.map(({ customer_id }) => customer_id)
}

/** Playing the log back gives the members, and their number is the count. */
async function expectLogToAgree(shop: Shop) {
  const { db } = shop.database
  const played = new Map<string, Set<number>>()
  for (const { segment_id, customer_id, entered } of await db
    .selectFrom('segment_changes')
    .selectAll()
    .orderBy('seq')
    .execute()) {
    const members = played.get(segment_id) ?? new Set()
    if (entered) members.add(customer_id)
    else members.delete(customer_id)
    played.set(segment_id, members)
  }
  for (const { id, member_count } of await db
    .selectFrom('segments')
    .select(['id', 'member_count'])
    .execute()) {
    const members = await membersOf(shop, id)
    expect([...(played.get(id) ?? [])].sort((a, b) => a - b)).toEqual(members)
    expect(member_count).toBe(members.length)
  }
}

interface Step {
  put: FixtureCustomer[]
  remove: number[]
  events: FixtureEvent[]
  days: number
}

async function take(shop: Shop, world: World, { put, remove, events, days }: Step) {
  shop.now += days * DAY
  const changes: { customer_id: number; columns: string[] }[] = []
  for (const one of new Map(put.map((each) => [each.customer_id, each])).values()) {
    const before = world.customers.get(one.customer_id)
    const columns = before ? Object.keys(one).filter((column) => one[column] !== before[column]) : ['*']
    world.customers.set(one.customer_id, one)
    await shop.put([one])
    if (columns.length > 0) changes.push({ customer_id: one.customer_id, columns })
  }
  const happened = events
    .filter(({ customer_id }) => world.customers.has(customer_id))
    .map((each) => ({ ...each, ts: shop.now + each.ts }))
  world.events.push(...happened)
  await shop.happen(happened)
  for (const { customer_id, name } of happened) changes.push({ customer_id, columns: [`event:${name}`] })
  for (const id of remove) {
    if (!world.customers.delete(id)) continue
    world.events = world.events.filter(({ customer_id }) => customer_id !== id)
    await shop.remove([id])
    await shop.database.db.deleteFrom('timeline').where('customer_id', '=', id).execute()
    changes.push({ customer_id: id, columns: ['*'] })
  }
  await shop.changed(changes)
}

/* What a rule means, said a second time without SQL. */

const days = new BusinessDays('Asia/Shanghai')

function holds(node: RuleNode, one: FixtureCustomer, world: World, now: number): boolean {
  if ('all' in node) return node.all.every((inner) => holds(inner, one, world, now))
  if ('any' in node) return node.any.some((inner) => holds(inner, one, world, now))
  if ('not' in node) return !holds(node.not, one, world, now)
  if ('segment' in node) return holds(world.rules.get(node.segment) as Rule, one, world, now)
  if ('column' in node) return columnHolds(node, one[node.column] ?? null, now)
  return eventHolds(
    node,
    world.events.filter(({ customer_id }) => customer_id === one.customer_id),
    now,
  )
}

function columnHolds({ op, value }: ColumnNode, actual: string | number | null, now: number): boolean {
  const list = Array.isArray(value) ? value : [value]
  const ago =
    op.endsWith('_days') && actual !== null ? days.dayOf(now) - days.dayOf(Number(actual)) : Number.NaN
  switch (op) {
    case 'is_set':
      return actual !== null
    case 'is_not_set':
      return actual === null
    case 'is':
    case 'in':
      return actual !== null && list.includes(actual)
    case 'is_not':
    case 'not_in':
      return actual === null || !list.includes(actual)
    case 'contains':
      return actual !== null && lower(actual).includes(lower(value))
    case 'not_contains':
      return actual === null || !lower(actual).includes(lower(value))
    case 'gte':
      return actual !== null && Number(actual) >= Number(value)
    case 'lt':
      return actual !== null && Number(actual) < Number(value)
    case 'within_days':
      return ago >= 0 && ago < Number(value)
    case 'before_days':
      return ago >= Number(value)
    default:
      throw new Error(op)
  }
}

function eventHolds(
  { event: name, where = [], count, within }: EventNode,
  events: FixtureEvent[],
  now: number,
): boolean {
  const found = events.filter((each) => {
    const ago = days.dayOf(now) - days.dayOf(each.ts)
    return (
      each.name === name &&
      each.current !== 0 &&
      (!within || (ago >= 0 && ago < within.days)) &&
      where.every((filter) => propertyHolds(filter, each))
    )
  }).length
  return count.op === '>='
    ? found >= count.value
    : count.op === '<='
      ? found <= count.value
      : found === count.value
}

function propertyHolds({ property, op, value }: PropertyFilter, { properties = {} }: FixtureEvent): boolean {
  const actual = properties[property]
  if (op === 'is') return actual !== undefined && String(actual) === String(value)
  if (op === 'is_not') return actual === undefined || String(actual) !== String(value)
  return typeof actual === 'number' && actual >= Number(value)
}

function lower(value: unknown): string {
  return String(value).replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
}

/* Random shops: small enough that everything meets everything. */

const customerId = fc.integer({ min: 1, max: 6 })
const city = fc.constantFrom('上海', '北京', 'Paris', 'PARIS%', 'É')
const customer: fc.Arbitrary<FixtureCustomer> = fc.record({
  customer_id: customerId,
  t_city: fc.option(city),
  commerce_orders: fc.option(fc.nat(4)),
  commerce_last_order_at: fc.option(
    fc.integer({ min: -5 * 24, max: 12 }).map((hours) => START + hours * 3_600_000),
  ),
})
const eventName = fc.constantFrom('order.paid', 'product.viewed')
const event: fc.Arbitrary<FixtureEvent> = fc.record({
  customer_id: customerId,
  name: eventName,
  ts: fc.integer({ min: -5 * 24, max: 12 }).map((hours) => hours * 3_600_000),
  current: fc.constantFrom(1, 1, 0),
  properties: fc.record(
    { shop: fc.constantFrom('a', 'b', 7, true), amount: fc.nat(3) },
    { requiredKeys: [] },
  ),
})
const columnNode: fc.Arbitrary<ColumnNode> = fc.oneof(
  fc.record({
    column: fc.constant('t_city'),
    op: fc.constantFrom('is', 'is_not', 'contains', 'not_contains'),
    value: fc.constantFrom('上海', 'paris', '%', 'PARIS', 'é', 'Paris'),
  }),
  fc.record({
    column: fc.constant('t_city'),
    op: fc.constantFrom('in', 'not_in'),
    value: fc.array(city, { minLength: 1, maxLength: 2 }),
  }),
  fc.record({
    column: fc.constantFrom('t_city', 'commerce_orders', 'commerce_last_order_at'),
    op: fc.constantFrom('is_set', 'is_not_set'),
  }),
  fc.record({
    column: fc.constant('commerce_orders'),
    op: fc.constantFrom('is', 'is_not', 'gte', 'lt'),
    value: fc.nat(4),
  }),
  fc.record({
    column: fc.constant('commerce_last_order_at'),
    op: fc.constantFrom('within_days', 'before_days'),
    value: fc.integer({ min: 1, max: 5 }),
  }),
)
const filter: fc.Arbitrary<PropertyFilter> = fc.oneof(
  fc.record({
    property: fc.constant('shop'),
    op: fc.constantFrom('is', 'is_not'),
    value: fc.constantFrom('a', 'b', '7', 7, true),
  }),
  fc.record({ property: fc.constant('amount'), op: fc.constant('gte'), value: fc.nat(3) }),
)
const eventNode: fc.Arbitrary<EventNode> = fc.record(
  {
    event: eventName,
    where: fc.array(filter, { maxLength: 2 }),
    count: fc.record({ op: fc.constantFrom('>=', '<=', '='), value: fc.nat(2) }),
    within: fc.record({ days: fc.integer({ min: 1, max: 4 }) }),
  },
  { requiredKeys: ['event', 'count'] },
)
const { node } = fc.letrec<{ node: RuleNode }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.oneof(columnNode, eventNode),
    fc.record({ not: tie('node') }),
    fc.record({ all: fc.array(tie('node'), { maxLength: 3 }) }),
    fc.record({ any: fc.array(tie('node'), { maxLength: 3 }) }),
  ),
}))
const rule: fc.Arbitrary<Rule> = fc.oneof(
  fc.record({ all: fc.array(node, { minLength: 1, maxLength: 3 }) }),
  fc.record({ any: fc.array(node, { minLength: 1, maxLength: 3 }) }),
)

/** A rule may build on the one before it, so that there are chains but no loops. */
function chain({ own, before }: { own: Rule; before: string }, index: number): [string, Rule] {
  const previous = { segment: `s${index - 1}` }
  const built: Rule = { any: [{ all: [own, before === 'in' ? previous : { not: previous }] }] }
  return [`s${index}`, index === 0 || before === 'none' ? own : built]
}
