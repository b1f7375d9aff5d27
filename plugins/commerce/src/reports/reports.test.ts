import { toNumberVector, type EventSeriesPoint, type Huitou, type ReportData } from '@huitou/plugin-api'
import { expect, test } from 'vitest'
import { repurchaseReport } from './repurchase.ts'
import { salesReport } from './sales.ts'

interface Paid {
  customer: number
  day: string
  amount: number
  event?: 'order.paid' | 'order.refunded'
}

const timeZone = 'Asia/Shanghai'
const at = (day: string) =>
  Temporal.PlainDate.from(day).toZonedDateTime({ timeZone, plainTime: '12:00' }).epochMilliseconds
const now = at('2026-03-31')

/** What a plugin sees of a shop with these orders. Amounts in minor units. */
function shop(orders: Paid[], locale = 'en'): Pick<Huitou, 'brand' | 'events' | 'customers'> {
  const within = (query: { events: string[]; from?: number; before?: number }) =>
    orders.filter(
      ({ day, event = 'order.paid' }) =>
        query.events.includes(event) && at(day) >= (query.from ?? 0) && at(day) < (query.before ?? Infinity),
    )
  return {
    brand: { currency: 'CNY', timeZone, locale },
    customers: {
      read: () => Promise.resolve({ ids: Float64Array.from([1]), columns: {} }),
      aggregate: () => Promise.resolve([]),
      find: () => unused('customers.find'),
      tag: () => unused('customers.tag'),
      untag: () => unused('customers.untag'),
    },
    events: {
      append: () => unused('events.append'),
      query: () => unused('events.query'),
      async perCustomer(query) {
        const found = within(query)
        const ids = [...new Set(found.map(({ customer }) => customer))].sort((a, b) => a - b)
        const of = (id: number) => found.filter(({ customer }) => customer === id)
        return {
          ids: Float64Array.from(ids),
          columns: {
            count: toNumberVector(ids.map((id) => of(id).length)),
            value: toNumberVector(ids.map((id) => of(id).reduce((sum, { amount }) => sum + amount, 0))),
            first: toNumberVector(ids.map((id) => Math.min(...of(id).map(({ day }) => at(day))))),
          },
        }
      },
      async series(query) {
        const points = new Map<string, EventSeriesPoint>()
        for (const { day, amount, event = 'order.paid' } of within(query)) {
          const period = query.by === 'month' ? `${day.slice(0, 7)}-01` : day
          const point = points.get(event + period) ?? { period, event, count: 0, value: 0, customers: 1 }
          points.set(event + period, { ...point, count: point.count + 1, value: point.value + amount })
        }
        return [...points.values()]
      },
    },
  }
}

const context = { now, signal: new AbortController().signal }
const value = ({ blocks }: ReportData, block: string) => {
  const data = blocks[block]!
  return data.kind === 'number' ? [data.value, data.previous] : undefined
}

const orders: Paid[] = [
  { customer: 1, day: '2026-02-10', amount: 10_000 },
  { customer: 1, day: '2026-03-10', amount: 20_000 },
  { customer: 2, day: '2026-03-11', amount: 5_000 },
  { customer: 2, day: '2026-03-12', amount: 5_000, event: 'order.refunded' },
]

test('sales of a month stand beside those of the days before', async () => {
  const report = await salesReport(shop(orders)).run(
    { from: '2026-03-04', to: '2026-03-31', by: 'day' },
    context,
  )
  expect(value(report, 'revenue')).toEqual([25_000, 10_000])
  expect(value(report, 'orders')).toEqual([2, 1])
  expect(value(report, 'customers')).toEqual([2, 1])
  expect(value(report, 'average_basket')).toEqual([12_500, 10_000])
  expect(value(report, 'refund_share')).toEqual([0.2, 0])
  const trend = report.blocks.trend!
  expect(
    trend.kind === 'line' && [
      trend.categories.length,
      trend.series[0]!.values[6],
      trend.series[1]!.values[8],
    ],
  ).toEqual([28, 20_000, 5_000])
})

test('a shop without orders has no average and no share, rather than nought', async () => {
  const report = await salesReport(shop([])).run({}, context)
  expect(value(report, 'revenue')).toEqual([0, 0])
  expect(value(report, 'average_basket')).toEqual([null, null])
  expect(value(report, 'refund_share')).toEqual([null, null])
})

test('a period that ends before it begins is refused', async () => {
  await expect(async () =>
    salesReport(shop([])).run({ from: '2026-03-04', to: '2026-03-01' }, context),
  ).rejects.toMatchObject({ code: 'E_REPORT_PERIOD' })
  await expect(async () => salesReport(shop([])).run({ from: 'soon' }, context)).rejects.toMatchObject({
    code: 'E_REPORT_DAY',
  })
})

test('half of the buyers came back, one month after their first order', async () => {
  const report = await repurchaseReport(shop(orders)).run({}, context)
  expect(value(report, 'buyers')?.[0]).toBe(2)
  expect(value(report, 'repeat_rate')?.[0]).toBe(0.5)
  expect(value(report, 'repeat_revenue')?.[0]).toBeCloseTo(30_000 / 35_000)
  const frequency = report.blocks.frequency!
  expect(frequency.kind === 'bar' && frequency.series[0]!.values).toEqual([1, 1, 0, 0, 0, 0, 0])
  expect(frequency.kind === 'bar' && frequency.behind?.[5]).toEqual({ commerce_orders: [6, 7, 8, 9, 10] })
  const cohorts = report.blocks.retention!
  expect(cohorts.kind === 'cohort' && cohorts.rows.slice(-2).map(({ id, size }) => [id, size])).toEqual([
    ['2026-02-01', 1],
    ['2026-03-01', 1],
  ])
  expect(cohorts.kind === 'cohort' && cohorts.values.at(-2)!.slice(0, 2)).toEqual([1, null])
})

test("texts inside the data follow the brand's language", async () => {
  const report = await repurchaseReport(shop(orders, 'zh-CN')).run({}, context)
  const frequency = report.blocks.frequency!
  expect(frequency.kind === 'bar' && frequency.categories).toEqual([
    '1 次',
    '2 次',
    '3 次',
    '4 次',
    '5 次',
    '6–10 次',
    '11 次及以上',
  ])
})

function unused(method: string): never {
  throw new Error(`the reports are not expected to call ${method}`)
}
