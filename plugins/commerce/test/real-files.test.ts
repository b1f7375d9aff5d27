import type { Conversion, SourceEvent } from '@huitou/plugin-api'
import { expect, test } from 'vitest'
import { convertFile, hasData, readExpected, readFile } from './real-files.ts'

const named = ({ events }: Conversion, name: string) => events.filter((event) => event.event === name)
const cents = (events: SourceEvent[], property: 'total' | 'amount') =>
  events.reduce((sum, event) => sum + Math.round(Number(event.properties![property] ?? 0) * 100), 0)
const customers = (events: SourceEvent[]) => new Set(events.map((event) => event.userId)).size
const countsOf = ({ problems }: Conversion) => {
  const counts: Record<string, number> = {}
  for (const { code } of problems) counts[code] = (counts[code] ?? 0) + 1
  return counts
}

test.skipIf(!hasData)(
  'Online Retail: customers, invoices, lines and revenue to the cent',
  { timeout: 60_000 },
  async () => {
    interface Expected {
      counts: { lines_without_customer: number }
      valid: {
        lines: number
        customers: number
        invoices: number
        revenue: number
        first: string
        last: string
      }
      cancelled_value_with_customer: number
    }
    const {
      counts,
      valid,
      cancelled_value_with_customer: cancelled,
    } = readExpected<Expected>('online_retail_public.json')
    const conversion = await convertFile(readFile('online_retail/online_retail_public.csv.gz'))
    const paid = named(conversion, 'order.paid')
    expect(conversion.format).toBe('invoice-lines')
    expect(paid.length).toBe(valid.invoices)
    expect(customers(paid)).toBe(valid.customers)
    expect(cents(paid, 'total')).toBe(Math.round(valid.revenue * 100))
    expect(
      paid.reduce(
        (lines, event) =>
          lines + Number(event.properties!.item_count ?? (event.properties!.items as unknown[]).length),
        0,
      ),
    ).toBe(valid.lines)
    expect(cents(named(conversion, 'order.refunded'), 'amount')).toBe(Math.round(-cancelled * 100))
    expect(countsOf(conversion).E_ROW_NO_CUSTOMER).toBe(counts.lines_without_customer)
    expect(
      Math.max(...conversion.events.map((event) => Buffer.byteLength(JSON.stringify(event)))),
    ).toBeLessThan(32 * 1024)
    const times = paid.map((event) => event.timestamp)
    const shanghai = (text: string) =>
      Temporal.PlainDateTime.from(text.replace(' ', 'T')).toZonedDateTime('Asia/Shanghai').epochMilliseconds
    expect([Math.min(...times), Math.max(...times)]).toEqual([shanghai(valid.first), shanghai(valid.last)])
    expect(new Set(conversion.events.map((event) => event.messageId)).size).toBe(conversion.events.length)
  },
)

test.skipIf(!hasData)('Tmall report: paid orders, what was kept and what went back', async () => {
  interface Expected {
    rows: number
    paid_orders: number
    sum_actual_paid: number
    refund_orders: number
    sum_refund: number
  }
  const expected = readExpected<Expected>('tmall.json')
  const conversion = await convertFile(readFile('tmall_orders/tmall_order_report.public.csv.gz'))
  const paid = named(conversion, 'order.paid')
  const refunded = named(conversion, 'order.refunded')
  expect(conversion.problems).toEqual([])
  expect(named(conversion, 'order.created').length).toBe(expected.rows)
  expect(paid.length).toBe(expected.paid_orders)
  expect(refunded.length).toBe(expected.refund_orders)
  expect(cents(refunded, 'amount')).toBe(Math.round(expected.sum_refund * 100))
  expect(cents(paid, 'total') - cents(refunded, 'amount')).toBe(Math.round(expected.sum_actual_paid * 100))
})

test.skipIf(!hasData)('orders of the R package rfm: one purchase a row', async () => {
  interface Expected {
    orders_public: { segments: Record<string, { customers: number; orders: number; revenue: number }> }
  }
  const segments = Object.values(readExpected<Expected>('rfm_data_orders.json').orders_public.segments)
  const sum = (of: 'customers' | 'orders' | 'revenue') =>
    segments.reduce((total, segment) => total + segment[of], 0)
  const conversion = await convertFile(readFile('rfm_r/rfm_data_orders.csv.gz'))
  const paid = named(conversion, 'order.paid')
  expect(conversion.problems).toEqual([])
  expect(paid.length).toBe(sum('orders'))
  expect(customers(paid)).toBe(sum('customers'))
  expect(cents(paid, 'total')).toBe(sum('revenue') * 100)
})

test.skipIf(!hasData)('CDNOW: equal rows of one day stay separate purchases', async () => {
  const conversion = await convertFile(readFile('cdnow/cdnow_sample_transactions.csv.gz'))
  const paid = named(conversion, 'order.paid')
  expect([paid.length, customers(paid)]).toEqual([6_919, 2_357])
  expect(new Set(conversion.events.map((event) => event.messageId)).size).toBe(conversion.events.length)
})

test.skipIf(!hasData)('Olist: the life of orders whose times contradict each other', async () => {
  interface Expected {
    orders: number
    status: { canceled: number; unavailable: number }
    missing: { delivered_carrier: number }
  }
  const expected = readExpected<Expected>('olist.json')
  const conversion = await convertFile(readFile('olist/olist_orders.csv.gz'))
  expect(conversion.problems).toEqual([])
  expect(named(conversion, 'order.created').length).toBe(expected.orders)
  expect(named(conversion, 'order.closed').length).toBe(
    expected.status.canceled + expected.status.unavailable,
  )
  expect(named(conversion, 'order.shipped').length).toBe(expected.orders - expected.missing.delivered_carrier)
})
