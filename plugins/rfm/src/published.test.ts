import { describe, expect, test } from 'vitest'
import { hasData, readExpected, readTable } from '../test/public-data.ts'
import { parseDay } from './business-days.ts'
import { quintileBreakpoints } from './bins.ts'
import { topShare } from './report/report.ts'
import { scoreBuyers } from './score.ts'
import type { Buyers, Scores } from './score.ts'
import { assignSegments, segmentIds } from './segments.ts'
import type { Method, RfmSettings } from './settings.ts'

const settings = (method: Method): RfmSettings => ({
  method,
  scheme: 'huitou',
  monetary: 'spend',
  reference: 'auto',
  thresholds: { recency: [], frequency: [], monetary: [] },
})
const numbers = [1, 2, 3, 4, 5]
const sizes = (scores: Uint8Array) =>
  Object.fromEntries(numbers.map((n) => [n, scores.filter((score) => score === n).length]))

describe.skipIf(!hasData)('a gift shop’s year (UCI Online Retail)', () => {
  interface Group extends Record<string, number> {
    customers: number
  }
  interface Expected {
    rules: { reference_date: string }
    rfm_ntile: Record<'R' | 'F' | 'M', Record<string, Group>>
    rfm_ntile_cells_top: Record<string, number>
    rfm_quantile: {
      breakpoints: Record<string, number[]>
      counts: Record<'qR' | 'qF' | 'qM', Record<string, number>>
    }
    pareto: { top_20pct_customers_revenue_share: number }
  }

  let loaded: { buyers: Buyers; expected: Expected } | undefined
  const load = () => (loaded ??= read())

  function read(): { buyers: Buyers; expected: Expected } {
    const expected = readExpected<Expected>('online_retail_public.json')
    const referenceDay = parseDay(expected.rules.reference_date)
    const customers = new Map<string, { last: string; invoices: Set<string>; spend: number }>()
    for (const line of readTable('online_retail/online_retail_public.csv.gz')) {
      const { CustomerID = '', InvoiceNo = '', InvoiceDate = '' } = line
      const amount = Number(line.Quantity) * Number(line.UnitPrice)
      if (
        CustomerID === '' ||
        InvoiceNo.startsWith('C') ||
        !(Number(line.Quantity) > 0) ||
        !(Number(line.UnitPrice) > 0)
      )
        continue
      const customer = customers.get(CustomerID) ?? { last: '', invoices: new Set(), spend: 0 }
      customers.set(CustomerID, customer)
      if (InvoiceDate > customer.last) customer.last = InvoiceDate
      customer.invoices.add(InvoiceNo)
      customer.spend += amount
    }
    const list = [...customers.values()]
    return {
      expected,
      buyers: {
        keys: [...customers.keys()],
        recencyDays: Float64Array.from(list, ({ last }) => referenceDay - parseDay(last.slice(0, 10))),
        orders: Float64Array.from(list, ({ invoices }) => invoices.size),
        spend: Float64Array.from(list, ({ spend }) => Math.round(spend * 100)),
      },
    }
  }

  test('by rank every group has the published size and limits, and every cell its customers', () => {
    const { buyers, expected } = load()
    const scores = scoreBuyers(buyers, settings('rank'), 100)
    for (const [letter, of] of [
      ['R', scores.r],
      ['F', scores.f],
      ['M', scores.m],
    ] as const) {
      for (const n of numbers) expect(describeGroup(buyers, of, n)).toEqual(expected.rfm_ntile[letter][n])
    }
    const cells = Map.groupBy(buyers.keys.keys(), (row) => `${scores.r[row]}${scores.f[row]}${scores.m[row]}`)
    for (const [cell, count] of Object.entries(expected.rfm_ntile_cells_top))
      expect(cells.get(cell)).toHaveLength(count)
  })

  test('by rank and by quantile every single customer has the published scores', () => {
    const { buyers } = load()
    const rank = scoreBuyers(buyers, settings('rank'), 100)
    const quantile = scoreBuyers(buyers, settings('quantile'), 100)
    const row = new Map(buyers.keys.map((key, index) => [key, index]))
    const wanted = readTable('expected/online_retail_public_customers.csv.gz')
    const ours = ({ r, f, m }: Scores, index: number) => [r[index], f[index], m[index]].join('')
    expect(
      wanted.map(({ cid }) => [cid, ours(rank, row.get(cid!)!), ours(quantile, row.get(cid!)!)]),
    ).toEqual(wanted.map(({ cid, R, F, M, qR, qF, qM }) => [cid, `${R}${F}${M}`, `${qR}${qF}${qM}`]))
  })

  test('by quantile breakpoints and sizes are the published ones', () => {
    const { buyers, expected } = load()
    const { breakpoints, counts } = expected.rfm_quantile
    expect(quintileBreakpoints(buyers.recencyDays)).toEqual(breakpoints.recency_days)
    expect(quintileBreakpoints(buyers.orders)).toEqual(breakpoints.frequency)
    quintileBreakpoints(buyers.spend).forEach((minor, index) =>
      expect(minor / 100).toBeCloseTo(breakpoints.monetary![index]!, 6),
    )
    const { r, f, m } = scoreBuyers(buyers, settings('quantile'), 100)
    expect({ qR: sizes(r), qF: sizes(f), qM: sizes(m) }).toEqual(counts)
  })

  test('the top fifth of the customers spent 76.3 %', () => {
    const { buyers, expected } = load()
    expect(topShare(buyers)).toBeCloseTo(expected.pareto.top_20pct_customers_revenue_share, 6)
  })

  function describeGroup(
    { recencyDays, orders, spend }: Buyers,
    scores: Uint8Array,
    score: number,
  ): Record<string, number> {
    const rows = [...scores.keys()].filter((row) => scores[row] === score)
    const of = (values: Float64Array) => rows.map((row) => values[row]!)
    const money = (minor: number) => Math.round(minor) / 100
    return {
      customers: rows.length,
      recency_min: Math.min(...of(recencyDays)),
      recency_max: Math.max(...of(recencyDays)),
      frequency_min: Math.min(...of(orders)),
      frequency_max: Math.max(...of(orders)),
      monetary_min: money(Math.min(...of(spend))),
      monetary_max: money(Math.max(...of(spend))),
      monetary_sum: money(of(spend).reduce((sum, minor) => sum + minor, 0)),
    }
  }
})

describe.skipIf(!hasData)('the orders that come with the R package rfm', () => {
  interface Expected {
    orders_public: { analysis_date: string; counts: Record<'R' | 'F' | 'M', Record<string, number>> }
    published_segment_summary_orders: Record<string, [customers: number, orders: number, revenue: number]>
  }
  const published: Record<string, (typeof segmentIds)[number]> = {
    Champions: 'champions',
    'Potential Loyalist': 'potential_loyalist',
    'Loyal Customers': 'loyal',
    Promising: 'promising',
    'New Customers': 'new',
    "Can't Lose Them": 'cannot_lose',
    'At Risk': 'at_risk',
    'Need Attention': 'need_attention',
    'About To Sleep': 'about_to_sleep',
    Lost: 'lost',
  }

  test('fall into the published segments, to the last order and amount', () => {
    const { orders_public: expected, published_segment_summary_orders: summary } =
      readExpected<Expected>('rfm_data_orders.json')
    const analysisDay = parseDay(expected.analysis_date)
    const customers = Map.groupBy(
      readTable('rfm_r/rfm_data_orders.csv.gz'),
      ({ customer_id }) => customer_id!,
    )
    const lists = [...customers.values()]
    const buyers: Buyers = {
      keys: [...customers.keys()],
      recencyDays: Float64Array.from(
        lists,
        (orders) => analysisDay - Math.max(...orders.map(({ order_date }) => parseDay(order_date!))),
      ),
      orders: Float64Array.from(lists, ({ length }) => length),
      spend: Float64Array.from(
        lists,
        (orders) => 100 * orders.reduce((sum, { revenue }) => sum + Number(revenue), 0),
      ),
    }
    const scores = scoreBuyers(buyers, settings('rfm_r'), 100)
    expect({ R: sizes(scores.r), F: sizes(scores.f), M: sizes(scores.m) }).toEqual(expected.counts)
    const segments = assignSegments('rfm_r', scores)
    expect([...segments]).not.toContain(-1)
    for (const [name, figures] of Object.entries(summary)) {
      const rows = [...segments.keys()].filter((row) => segmentIds[segments[row]!] === published[name])
      const sum = (values: Float64Array) => rows.reduce((total, row) => total + values[row]!, 0)
      expect([name, rows.length, sum(buyers.orders), sum(buyers.spend) / 100]).toEqual([name, ...figures])
    }
  })
})
