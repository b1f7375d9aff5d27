import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createShop, engines, type FixtureEvent, type Shop } from '../../test/shop-fixture.ts'
import type { SignedIn } from '../http/env.ts'
import { answerProblem } from '../http/problem.ts'
import { assignArm } from './assignment.ts'
import { definitionSchema, type Metric } from './definition.ts'
import { readMoments } from './metrics.ts'
import { getExperiment } from './queries.ts'
import { experimentRoutes } from './routes.ts'

const DAY = 86_400_000
const NOW = Date.parse('2026-11-21T10:00:00+08:00')
const CUSTOMERS = 300

const metrics = [
  { key: 'bought', kind: 'conversion', event: 'order.paid', withinDays: 7 },
  { key: 'revenue', kind: 'value', event: 'order.paid', minus: 'order.refunded', withinDays: 7 },
  { key: 'orders', kind: 'count', event: 'order.paid', withinDays: 7, cuped: true },
  {
    key: 'basket',
    kind: 'ratio',
    withinDays: 7,
    numerator: { event: 'order.paid', of: 'value' },
    denominator: { event: 'order.paid', of: 'count' },
  },
  {
    key: 'online',
    kind: 'conversion',
    event: 'order.paid',
    withinDays: 7,
    where: [{ property: 'shop', op: 'is', value: 'online' }],
  },
]
const definition = { arms: [{ key: 'plain' }, { key: 'gift' }], holdoutPercent: 20, metrics }

describe.each(engines)('experiments on %s', (engine) => {
  let shop: Shop
  let call: (method: string, path: string, body?: object) => Promise<{ status: number; body: any }>
  beforeAll(async () => {
    shop = await createShop(engine, NOW - 30 * DAY)
    const identifiers = Array.from({ length: CUSTOMERS + 10 }, (_, index) => ({
      id: index + 1,
      kind: 'user_id',
      value: `u${index + 1}`,
      customer_id: index + 1,
      first_seen_at: 0,
    }))
    await shop.database.db.insertInto('identifiers').values(identifiers).execute()
    call = client(shop)
  })
  afterAll(() => shop[Symbol.asyncDispose]())

  test('a draft takes nobody in; a started one keeps what is measured', async () => {
    const made = await call('POST', '/', { name: 'Gift', definition })
    expect(made).toMatchObject({ status: 201, body: { state: 'draft', alpha: 0.05 } })
    const at = `/${made.body.id}`
    expect(await call('POST', `${at}/exposures`, { customerIds: [1] })).toMatchObject({
      status: 409,
      body: { code: 'E_EXPERIMENT_NOT_RUNNING' },
    })
    expect(await call('POST', `${at}/end`)).toMatchObject({ body: { code: 'E_EXPERIMENT_NOT_STARTED' } })
    expect(await call('PUT', at, { definition: { ...definition, holdoutPercent: 10 } })).toMatchObject({
      body: { holdoutPercent: 10 },
    })
    expect(await call('POST', `${at}/start`)).toMatchObject({ body: { state: 'running' } })
    expect(await call('PUT', at, { definition })).toMatchObject({
      status: 409,
      body: { code: 'E_EXPERIMENT_STARTED' },
    })
    expect(await call('PUT', at, { name: 'Gift II' })).toMatchObject({ body: { name: 'Gift II' } })
    expect(await call('DELETE', at)).toMatchObject({ body: { code: 'E_EXPERIMENT_RUNNING' } })
    await call('POST', `${at}/end`)
    expect(await call('DELETE', at)).toMatchObject({ status: 204 })
    expect(await call('GET', at)).toMatchObject({ status: 404 })
  })

  test.each([
    [{ ...definition, arms: [{ key: 'a' }, { key: 'a' }] }],
    [{ ...definition, arms: [{ key: 'a' }], holdoutPercent: 0 }],
    [{ ...definition, arms: [{ key: 'holdout' }] }],
    [{ ...definition, control: 'nobody' }],
    [{ ...definition, metrics: [] }],
  ])('what cannot be compared is refused', async (wrong) => {
    expect(await call('POST', '/', { name: 'Wrong', definition: wrong })).toMatchObject({
      status: 400,
      body: { code: 'E_INVALID' },
    })
  })

  test('plans in all three directions', async () => {
    const baseline = { rate: 0.05 }
    const { body } = await call('POST', '/plan', { find: 'size', baseline, difference: 0.01 })
    expect(body).toMatchObject({ size: 8158, customers: 16_316, power: 0.8 })
    const back = await call('POST', '/plan', { find: 'difference', baseline, size: 8158 })
    expect(back.body.difference).toBeCloseTo(0.01, 5)
    const chance = await call('POST', '/plan', { find: 'power', baseline, size: 8158, difference: 0.01 })
    expect(chance.body.power).toBeCloseTo(0.8, 3)
    expect((await call('POST', '/plan', { find: 'size', baseline, difference: -0.2 })).body.code).toBe(
      'E_PLAN',
    )
  })

  test('arms come to what their customers did after meeting them, until the window is over', async () => {
    const { id } = (await call('POST', '/', { name: 'Gift', definition })).body
    await call('POST', `/${id}/start`)
    const everybody = Array.from({ length: CUSTOMERS }, (_, index) => index + 1)
    const { exposures } = (await call('POST', `/${id}/exposures`, { customerIds: [...everybody, 9_999] }))
      .body
    expect(exposures).toHaveLength(CUSTOMERS)
    const met = shop.now
    shop.now += 3 * DAY
    const late = (await call('POST', `/${id}/exposures`, { customerIds: [1, CUSTOMERS + 1] })).body.exposures
    expect(late[0]).toEqual(exposures[0])

    const happened = events(everybody, met)
    await shop.happen(happened)
    shop.now = met + 8 * DAY
    const experiment = await getExperiment(shop, id)
    for (const metric of definitionSchema.parse(definition).metrics) {
      const found = await readMoments(shop, experiment, metric)
      expect(Object.fromEntries(found)).toEqual(naive(metric, { exposures, happened, met }))
    }

    const { body } = await call('GET', `/${id}/results`)
    expect(body).toMatchObject({ control: 'holdout', mixed: 0, sampleRatio: { alarm: false } })
    expect(body.arms.reduce((sum: number, arm: any) => sum + arm.customers, 0)).toBe(CUSTOMERS + 1)
    const [bought, revenue, orders, basket] = body.metrics
    for (const { arm, customers, total } of bought.arms) {
      expect((await call('GET', `/${id}/customers?arm=${arm}&limit=200`)).body.customers.length).toBe(
        Math.min(200, body.arms.find((one: any) => one.arm === arm).customers),
      )
      const behind = (await call('GET', `/${id}/customers?arm=${arm}&metric=bought&limit=200`)).body
      expect([customers > 0, behind.customers.length]).toEqual([true, total])
    }
    expect(bought.comparisons.map(({ arm, test: by }: any) => [arm, by])).toEqual([
      ['plain', 'proportions'],
      ['gift', 'proportions'],
    ])
    expect(revenue.comparisons[0].test).toBe('welch')
    expect(orders.comparisons[0].test).toBe('cuped')
    expect(basket.comparisons[0]).toMatchObject({ test: 'delta', incremental: null })
    // Fewer than 100 customers were held out.
    expect(bought.comparisons[0].anytime).toBeNull()
    const [first] = revenue.comparisons
    const plain = revenue.arms.find(({ arm }: any) => arm === 'plain')
    expect(first.incremental.estimate).toBeCloseTo(first.difference.estimate * plain.customers, 6)
    expect(first.incremental.low).toBeLessThan(first.incremental.estimate)
    expect(first.pCorrected).toBeGreaterThanOrEqual(first.p)
  })

  test('two records that become one person keep their arm, or are left out of both', async () => {
    const { id } = (await call('POST', '/', { name: 'Merged', definition })).body
    await call('POST', `/${id}/start`)
    const experiment = await getExperiment(shop, id)
    const armOf = (customer: number) => assignArm(experiment, customer)
    const others = Array.from({ length: CUSTOMERS - 1 }, (_, index) => index + 2)
    const same = others.find((customer) => armOf(customer) === armOf(1)) as number
    const other = others.find((customer) => armOf(customer) !== armOf(1)) as number
    await call('POST', `/${id}/exposures`, { customerIds: [1, same] })
    await merge(shop, same, 1)
    const reach = async () => (await call('GET', `/${id}/results`)).body
    expect((await reach()).arms.find(({ arm }: any) => arm === armOf(1)).customers).toBe(1)
    const again = await call('POST', `/${id}/exposures`, { customerIds: [same] })
    expect(again.body.exposures).toEqual([{ customerId: same, arm: armOf(1), at: shop.now }])
    await call('POST', `/${id}/exposures`, { customerIds: [other] })
    await merge(shop, other, 1)
    expect(await reach()).toMatchObject({ mixed: 1 })
    expect((await reach()).arms.every(({ customers }: any) => customers === 0)).toBe(true)
    await merge(shop, same, same)
    await merge(shop, other, other)
  })

  test('a journey is measured by its hold-out, without anybody asking for it', async () => {
    const journey = { journeyId: 'welcome', arms: [{ key: 'treated' }], metrics: [metrics[0]] }
    expect((await call('POST', '/', { name: 'Welcome', definition: journey })).status).toBe(404)
    await insertJourney(shop, 'welcome')
    const { id } = (await call('POST', '/', { name: 'Welcome', definition: journey })).body
    await call('POST', `/${id}/start`)
    await enrolAll(shop, 'welcome', CUSTOMERS)
    expect((await call('POST', `/${id}/exposures`, { customerIds: [1] })).body.code).toBe(
      'E_EXPERIMENT_OF_JOURNEY',
    )
    const { body } = await call('GET', `/${id}/results`)
    expect(body.arms).toEqual([
      { arm: 'treated', share: 0.9, customers: CUSTOMERS / 2 },
      { arm: 'holdout', share: 0.1, customers: CUSTOMERS / 2 },
    ])
    expect(body.sampleRatio.alarm).toBe(true)
  })
})

/** Orders before, within and behind the window, some at another shop, some given back, some superseded. */
function events(customers: readonly number[], met: number): FixtureEvent[] {
  return customers.flatMap((customer_id) => {
    const order = (day: number, value: number): FixtureEvent => ({
      customer_id,
      name: 'order.paid',
      ts: met + day * DAY,
      value,
      properties: { shop: customer_id % 4 === 0 ? 'online' : 'street' },
    })
    return [
      ...(customer_id % 5 === 0 ? [order(-2, 700)] : []),
      ...(customer_id % 3 === 0 ? [order(0, 1_000 + customer_id), order(6.9, 50)] : []),
      ...(customer_id % 9 === 0 ? [{ ...order(2, 300), name: 'order.refunded' }] : []),
      ...(customer_id % 7 === 0 ? [order(7, 9_000), { ...order(1, 8_000), current: 0 }] : []),
    ]
  })
}

/** The same sums, customer by customer. */
function naive(
  metric: Metric,
  { exposures, happened, met }: { exposures: any[]; happened: FixtureEvent[]; met: number },
) {
  const result: Record<string, object> = {}
  for (const [arm, members] of Map.groupBy(exposures, (exposure) => exposure.arm as string)) {
    const sums = { n: 0, y: 0, yy: 0, x: 0, xx: 0, xy: 0 }
    for (const { customerId } of members) {
      const own = happened.filter(
        (event) =>
          event.customer_id === customerId &&
          event.current !== 0 &&
          (!metric.where || event.properties?.shop === 'online'),
      )
      const between = (from: number, before: number) =>
        own.filter(({ ts }) => ts >= met + from * DAY && ts < met + before * DAY)
      const [y, x] = figures(metric, between(0, 7), between(-7, 0))
      sums.n++
      sums.y += y
      sums.yy += y * y
      sums.x += x
      sums.xx += x * x
      sums.xy += x * y
    }
    result[arm] = sums
  }
  return result
}

function figures(metric: Metric, after: FixtureEvent[], before: FixtureEvent[]): [number, number] {
  const paid = (list: FixtureEvent[]) => list.filter(({ name }) => name === 'order.paid')
  const worth = (list: FixtureEvent[]) => list.reduce((sum, { value }) => sum + (value ?? 0), 0)
  switch (metric.kind) {
    case 'conversion':
      return [paid(after).length > 0 ? 1 : 0, 0]
    case 'count':
      return [paid(after).length, paid(before).length]
    case 'value':
      return [2 * worth(paid(after)) - worth(after), 0]
    case 'ratio':
      return [worth(paid(after)), paid(after).length]
  }
}

function client(shop: Shop) {
  const app = new Hono<SignedIn>()
    .use((c, next) => {
      c.set('user', { id: 'u', name: 'U', email: 'u@example.com', role: 'operator', locale: 'en' } as never)
      return next()
    })
    .route('/', experimentRoutes(shop))
  app.onError((error, c) => answerProblem(c as never, error, shop.log))
  return async (method: string, path: string, body?: object) => {
    const answer = await app.request(path, {
      method,
      ...(body ? { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } } : {}),
    })
    const text = await answer.text()
    return { status: answer.status, body: text === '' ? null : JSON.parse(text) }
  }
}

async function merge(shop: Shop, from: number, into: number): Promise<void> {
  await shop.database.db
    .updateTable('identifiers')
    .set({ customer_id: into })
    .where('id', '=', from)
    .execute()
}

async function insertJourney(shop: Shop, id: string): Promise<void> {
  await shop.database.db
    .insertInto('journeys')
    .values({
      id,
      name: id,
      state: 'live',
      published_version: 1,
      draft: '{}',
      created_at: shop.now,
      updated_at: shop.now,
      next_run_at: null,
      run_at: null,
      run_after: null,
    })
    .execute()
}

/** Half of them held out: far more than the tenth that was asked for. */
async function enrolAll(shop: Shop, journeyId: string, customers: number): Promise<void> {
  const rows = Array.from({ length: customers }, (_, index) => ({
    journey_id: journeyId,
    version: 1,
    customer_id: index + 1,
    entry_key: '',
    node: 'start',
    visit: 0,
    state: 'done' as const,
    due_at: null,
    held_due_at: null,
    waiting_for: null,
    arm: index % 2 === 0 ? ('treated' as const) : ('holdout' as const),
    data: '{}',
    entered_at: shop.now,
    ended_at: shop.now,
    ended_reason: null,
    goal_at: null,
  }))
  await shop.database.db.insertInto('enrolments').values(rows).execute()
}
