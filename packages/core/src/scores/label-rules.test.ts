import type { ColumnRule } from '@huitou/plugin-api'
import { createTestCore, engines } from '@huitou/testing'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { countRule } from '../segments/count.ts'
import type { Rule } from '../segments/rule.ts'

const owner = {
  plugin: 'test.score',
  prefix: 'score',
  text: (text: string | { en: string; 'zh-CN': string }) =>
    typeof text === 'string' ? { en: text, 'zh-CN': text } : text,
}
const features = [
  {
    id: 'spend',
    title: 'Spend',
    events: [{ name: 'paid' }],
    aggregate: 'sum' as const,
    type: 'money' as const,
  },
  {
    id: 'tea',
    title: 'Tea',
    events: [{ name: 'paid' }],
    aggregate: 'mode' as const,
    of: 'tea',
    type: 'text' as const,
  },
  {
    id: 'last_at',
    title: 'Last',
    events: [{ name: 'paid' }],
    aggregate: 'last' as const,
    of: 'time',
    type: 'time' as const,
  },
]
const events = [{ name: 'paid', title: 'Paid', value: 'total', valueType: 'money' as const }]
const inputs = features.map(({ id }) => `shop_${id}`)

/** Sentences of every kind, on boundaries where there are some. */
const rules: ColumnRule[] = [
  { all: [] },
  { any: [] },
  { column: 'shop_spend', op: 'gt', value: 2_000 },
  { column: 'shop_spend', op: 'gte', value: 2_000 },
  { column: 'shop_spend', op: 'lt', value: 2_000 },
  { column: 'shop_spend', op: 'lte', value: 2_000 },
  { column: 'shop_spend', op: 'between', value: [1_000, 2_000] },
  { column: 'shop_spend', op: 'in', value: [1_000, 3_000] },
  { column: 'shop_spend', op: 'is_not', value: 1_000 },
  { column: 'shop_tea', op: 'is', value: 'Oolong' },
  { column: 'shop_tea', op: 'is', value: 'oolong' },
  { column: 'shop_tea', op: 'contains', value: 'OO' },
  { column: 'shop_tea', op: 'not_contains', value: '井' },
  { column: 'shop_tea', op: 'starts_with', value: 'ool' },
  { column: 'shop_tea', op: 'not_in', value: ['龙井'] },
  { column: 'shop_tea', op: 'is_set' },
  { column: 'shop_tea', op: 'is_not_set' },
  { column: 'shop_last_at', op: 'within_days', value: 2 },
  { column: 'shop_last_at', op: 'before_days', value: 2 },
  { column: 'shop_last_at', op: 'on_or_after', value: '2026-02-28' },
  { column: 'shop_last_at', op: 'before', value: '2026-02-28' },
  { column: 'shop_last_at', op: 'between', value: ['2026-02-20', '2026-02-27'] },
  {
    not: {
      any: [
        { column: 'shop_spend', op: 'gt', value: 1_500 },
        { column: 'shop_tea', op: 'is_not_set' },
      ],
    },
  },
]

describe.each(engines)('on %s', (engine) => {
  test('a rule of a label finds whom the same rule finds in a segment', async () => {
    await using core = await createTestCore({ engine })
    core.declare({ events, features })
    rules.forEach((rule, index) =>
      core.points.segmenters.add(owner, `score.l${index}`, {
        id: `l${index}`,
        title: `L${index}`,
        inputs,
        labels: [{ id: 'yes', title: 'Yes', rule }],
        run: () => {
          throw new Error('rules need no code')
        },
      }),
    )
    const paid = (userId: string, total: number, properties: object, timestamp: string) =>
      core.send({
        type: 'track',
        event: 'paid',
        userId,
        messageId: userId,
        timestamp,
        properties: { total, ...properties },
      })
    await paid('a', 10, { tea: 'Oolong' }, '2026-03-01T00:30:00+08:00')
    await paid('b', 20, { tea: '龙井' }, '2026-02-28T00:00:00+08:00')
    await paid('c', 30, {}, '2026-02-27T23:59:59+08:00')
    await core.send({ type: 'identify', userId: 'd', messageId: 'd', traits: { name: '无单' } })
    await core.settle()
    expect((await core.scores.runAll()).filter(({ error }) => error !== null)).toEqual([])
    const brand = async () =>
      ({ currency: 'CNY', timeZone: 'Asia/Shanghai', locale: 'zh-CN', brandName: '' }) as never
    for (const [index, rule] of rules.entries()) {
      const asSegment = await countRule({ ...core, brand }, { all: [rule] } as Rule)
      const { rows } = await sql<{
        n: number
      }>`select count(*) as n from profiles where ${sql.ref(`score_l${index}`)} = 'yes'`.execute(
        core.database.db,
      )
      expect({ rule, found: Number(rows[0]?.n) }).toEqual({ rule, found: asSegment.count })
    }
  })
})

test('the first label whose rule holds is given', async () => {
  await using core = await createTestCore()
  core.declare({ events, features })
  const at = (value: number): ColumnRule => ({ column: 'shop_spend', op: 'gte', value })
  core.points.segmenters.add(owner, 'score.level', {
    id: 'level',
    title: 'Level',
    inputs,
    labels: [
      { id: 'gold', title: 'Gold', rule: at(2_000) },
      { id: 'silver', title: 'Silver', rule: at(1_000) },
    ],
    run: () => new Int16Array(),
  })
  for (const [userId, total] of [
    ['a', 30],
    ['b', 15],
    ['c', 5],
  ] as const) {
    await core.send({ type: 'track', event: 'paid', userId, messageId: userId, properties: { total } })
  }
  await core.settle()
  await core.scores.runAll()
  const { rows } = await sql<{
    key: string
    score_level: string | null
  }>`select key, score_level from profiles order by key`.execute(core.database.db)
  expect(rows.map(({ score_level }) => score_level)).toEqual(['gold', 'silver', null])
})
