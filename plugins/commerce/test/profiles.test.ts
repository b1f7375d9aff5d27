import type { EventTypeContribution, FeatureContribution, SourceEvent } from '@huitou/plugin-api'
import { createTestCore, type TestCore } from '@huitou/testing'
import { expect, test } from 'vitest'
import manifest from '../package.json' with { type: 'json' }
import { createOrdersSource } from '../src/source.ts'

const source = createOrdersSource({ currency: 'CNY', timeZone: 'Asia/Shanghai' })
const head = '订单号,客户编号,下单时间,付款时间,订单状态,实付金额,退款金额,商品名称,类目,数量,单价'.split(',')

async function coreWithCommerce(): Promise<TestCore> {
  const core = await createTestCore({ now: '2026-03-01T12:00:00+08:00' })
  core.declare({
    events: manifest.contributes.events as EventTypeContribution[],
    features: manifest.contributes.features as FeatureContribution[],
  })
  return core
}

async function eventsOf(...lines: string[]): Promise<SourceEvent[]> {
  const rows = lines.map((line, index) => ({ row: index + 2, cells: line.split('|') }))
  const [best] = await source.recognise({ fileName: 'orders.csv', headers: head, rows })
  const keys = await source.groupKeys(rows, best!.mapping, head)
  const groups = Map.groupBy(rows, (_, index) => keys[index]!)
  const { events, problems } = await source.convert(
    [...groups].map(([key, members]) => ({ key, rows: members })),
    best!.mapping,
    head,
  )
  expect(problems).toEqual([])
  return events
}

async function take(
  core: TestCore,
  events: SourceEvent[],
): Promise<{ accepted: number; duplicates: number }> {
  const messages = events.map(({ externalIds, version, ...message }) => ({
    ...message,
    context: { externalIds, version },
  }))
  const result = await core.send(...messages)
  await core.settle()
  return result
}

async function profile(core: TestCore): Promise<Record<string, unknown>> {
  const { customer_id: _, ...columns } = await core.database.db
    .selectFrom('profiles')
    .selectAll()
    .executeTakeFirstOrThrow()
  return columns
}

const january = [
  '1|ann|2026-01-02 10:00|2026-01-02 10:01|已发货|100.00||口红|彩妆|1|100',
  '2|ann|2026-02-20 10:00||待付款|50.00||面膜|护肤|1|50',
]
const february = [
  '1|ann|2026-01-02 10:00|2026-01-02 10:01|交易成功|100.00|30.00|口红|彩妆|1|100',
  '2|ann|2026-02-20 10:00|2026-02-20 10:09|交易成功|50.00||面膜|护肤|1|50',
]

test('a file becomes a customer with orders, spend, refunds and a favourite category', async () => {
  await using core = await coreWithCommerce()
  await take(core, await eventsOf(...february))
  expect(await profile(core)).toMatchObject({
    shop_orders: 2,
    shop_spend: 15_000,
    shop_refunded: 3_000,
    shop_net_spend: 12_000,
    shop_average_basket: 7_500,
    shop_orders_30d: 1,
    shop_spend_90d: 15_000,
    shop_last_product: '面膜',
    shop_favourite_category: '彩妆',
    shop_first_order_at: Date.parse('2026-01-02T10:01:00+08:00'),
    shop_last_order_at: Date.parse('2026-02-20T10:09:00+08:00'),
    shop_order_gap: 49 * 86_400_000,
  })
})

test('the same file once more changes nothing', async () => {
  await using core = await coreWithCommerce()
  const events = await eventsOf(...february)
  await take(core, events)
  const before = await profile(core)
  expect(await take(core, await eventsOf(...february.toReversed()))).toMatchObject({
    accepted: 0,
    duplicates: events.length,
  })
  expect(await profile(core)).toEqual(before)
})

test('an earlier export that comes late does not bring back the past', async () => {
  await using inOrder = await coreWithCommerce()
  await take(inOrder, await eventsOf(...january))
  await take(inOrder, await eventsOf(...february))
  await using reversed = await coreWithCommerce()
  await take(reversed, await eventsOf(...february))
  await take(reversed, await eventsOf(...january))
  const [straight, late] = [await profile(inOrder), await profile(reversed)]
  expect(straight).toMatchObject({ shop_orders: 2, shop_net_spend: 12_000 })
  for (const column of Object.keys(straight).filter((name) => name.startsWith('shop_'))) {
    expect([column, late[column]]).toEqual([column, straight[column]])
  }
})
