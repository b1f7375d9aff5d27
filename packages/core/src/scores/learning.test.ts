import { type ColumnBatch, type ScoreBatch, toNumberVector, valueAt } from '@huitou/plugin-api'
import { createTestCore, engines, type TestCore } from '@huitou/testing'
import { describe, expect, test } from 'vitest'
import { lastTick } from '../nodes/last-tick.ts'

const owner = (permissions?: object) => ({
  plugin: 'test.learn',
  prefix: 'learn',
  text: (text: string | { en: string; 'zh-CN': string }) =>
    typeof text === 'string' ? { en: text, 'zh-CN': text } : text,
  ...(permissions ? { permissions: () => permissions } : {}),
})

async function openShop(engine: 'sqlite' | 'postgres'): Promise<TestCore> {
  const core = await createTestCore({ engine, now: '2026-03-01T12:00:00+08:00' })
  core.declare({
    events: [{ name: 'paid', title: 'Paid', value: 'total', valueType: 'money' }],
    features: [{ id: 'spend', title: 'Spend', events: [{ name: 'paid' }], aggregate: 'sum', type: 'money' }],
  })
  for (const [userId, total] of [
    ['a', 10],
    ['b', 30],
  ] as const)
    await core.send({ type: 'track', event: 'paid', userId, messageId: userId, properties: { total } })
  await core.settle()
  return core
}

const spendOf = (batch: ColumnBatch) =>
  [...batch.ids].map((_, row) => Number(valueAt(batch.columns['shop_spend'] as never, row)))

/** Learns the mean of what customers spent, and scores how far each is from it. */
function addLearner(
  core: TestCore,
  { schedule, permissions }: { schedule?: string; permissions?: object } = {},
) {
  const fits: number[] = []
  const runs: unknown[] = []
  core.points.scorers.add(owner(permissions), 'learn.distance', {
    id: 'distance',
    title: 'Distance',
    inputs: ['shop_spend'],
    outputs: [{ id: 'distance', title: 'Distance', type: 'integer' }],
    fits: true,
    ...(schedule ? { schedule } : {}),
    fit(batch) {
      fits.push(batch.ids.length)
      return { mean: spendOf(batch).reduce((sum, each) => sum + each, 0) / batch.ids.length }
    },
    run(batch: ScoreBatch) {
      runs.push(batch.model)
      const { mean } = batch.model as { mean: number }
      return { distance: toNumberVector(spendOf(batch).map((each) => each - mean)) }
    },
  })
  return { fits, runs }
}

async function models(core: TestCore) {
  return await core.database.db
    .selectFrom('score_models')
    .select(['version', 'model', 'customers'])
    .orderBy('version')
    .execute()
}

describe.each(engines)('on %s', (engine) => {
  test('a model is learned once a day, kept in versions, and handed to every run between', async () => {
    await using core = await openShop(engine)
    const { fits, runs } = addLearner(core)
    await core.scores.runAll()
    await core.scores.runAll({ force: true })
    expect([fits, runs]).toEqual([[2], [{ mean: 2_000 }, { mean: 2_000 }]])
    await core.send({ type: 'track', event: 'paid', userId: 'c', messageId: 'c', properties: { total: 80 } })
    await core.settle()
    await core.scores.runAll()
    expect(runs.at(-1)).toEqual({ mean: 2_000 })
    core.clock.advance(86_400_000)
    await core.scores.runAll()
    expect([fits, runs.at(-1)]).toEqual([[2, 3], { mean: 4_000 }])
    core.scores.invalidate()
    await core.scores.runAll()
    expect(fits).toHaveLength(3)
    expect((await models(core)).map(({ version, model }) => [version, JSON.parse(model) as unknown])).toEqual(
      [
        [1, { mean: 2_000 }],
        [2, { mean: 4_000 }],
        [3, { mean: 4_000 }],
      ],
    )
    for (let day = 0; day < 6; day++) {
      core.clock.advance(86_400_000)
      await core.scores.runAll()
    }
    expect((await models(core)).map(({ version }) => version)).toEqual([5, 6, 7, 8, 9])
  })

  test('a schedule runs a scorer when it says so, in the zone of the brand, and not before', async () => {
    await using core = await openShop(engine)
    const { fits, runs } = addLearner(core, {
      schedule: '30 4 * * *',
      permissions: { schedule: true, 'profile.read': ['*'] },
    })
    await core.scores.runAll()
    // Half past four in Shanghai is half past twelve at night in London.
    core.clock.set('2026-03-02T04:29:00+08:00')
    await core.scores.runAll()
    const before = [fits.length, runs.length]
    core.clock.set('2026-03-02T04:30:00+08:00')
    expect(await core.scores.advance()).toBe(false)
    expect((await core.jobs.list(10)).map(({ kind, state }) => [kind, state])).toEqual([['scores', 'queued']])
    await core.scores.runAll()
    expect([fits.length, runs.length]).toEqual([before[0]! + 1, before[1]! + 1])
    await core.scores.runAll()
    expect(runs).toHaveLength(before[1]! + 1)
  })

  test('without the permission the clock starts nothing', async () => {
    await using core = await openShop(engine)
    const { runs } = addLearner(core, { schedule: '* * * * *', permissions: { 'profile.read': ['*'] } })
    await core.scores.runAll()
    core.clock.advance(120_000)
    expect(await core.scores.runAll()).toEqual([])
    expect(runs).toHaveLength(1)
  })
})

test.each([
  ['0 4 * * *', '2026-03-02T04:00:00+08:00', '2026-03-02T04:00:00+08:00'],
  ['0 4 * * *', '2026-03-02T03:59:59+08:00', '2026-03-01T04:00:00+08:00'],
  ['0 9 * * 1', '2026-03-04T12:00:00+08:00', '2026-03-02T09:00:00+08:00'],
  ['nonsense', '2026-03-04T12:00:00+08:00', '1970-01-01T00:00:00Z'],
])('%s at %s was last due at %s', (schedule, now, expected) => {
  const tick = lastTick(schedule, { now: Date.parse(now), timeZone: 'Asia/Shanghai' })
  expect(new Date(tick).toISOString()).toBe(new Date(expected).toISOString())
})

test('a scorer gets the keys of customers, but no phone number in the place of one', async () => {
  await using core = await openShop('sqlite')
  await core.send({
    type: 'track',
    event: 'paid',
    messageId: 'p',
    anonymousId: 'x',
    context: { externalIds: [{ type: 'phone', id: '13800138000' }] },
  })
  await core.settle()
  const seen: (string | number | undefined)[][] = []
  core.points.scorers.add(owner({ 'profile.read': ['key'] }), 'learn.keys', {
    id: 'keys',
    title: 'Keys',
    inputs: ['key'],
    outputs: [{ id: 'keys', title: 'Keys', type: 'integer' }],
    run(batch: ScoreBatch) {
      seen.push([...batch.ids].map((_, row) => valueAt(batch.columns['key'] as never, row)))
      return { keys: toNumberVector([...batch.ids]) }
    },
  })
  await core.scores.runAll()
  expect(seen).toEqual([['a', 'b', expect.stringMatching(/^#\d+$/)]])
})
