import { toNumberVector, toTextVector } from '@huitou/plugin-api'
import type { ColumnBatch, EventSeriesPoint, EventTableQuery } from '@huitou/plugin-api'
import type { ReportHost } from '../src/report/snapshot.ts'

export interface Order {
  customer: number
  /** `2026-03-01`, at noon UTC. */
  day: string
  /** Minor units. */
  amount: number
  shop?: string
  categories?: string[]
  refund?: number
}

const defaults = {
  method: 'rank',
  scheme: 'huitou',
  monetary: 'spend',
  reference: 'auto',
  recencyThresholds: [30, 90, 180, 365],
  frequencyThresholds: [2, 3, 5, 10],
  monetaryThresholds: [100, 300, 1000, 3000],
}

/** What a plugin sees of a server that holds exactly these orders; segment `odd` has the odd customer ids. */
export function orderBook(orders: Order[], settings: Record<string, unknown> = {}): ReportHost {
  const time = ({ day }: Order) => Date.parse(`${day}T12:00:00Z`)
  const fold = (chosen: Order[], value: (order: Order) => number): ColumnBatch => {
    const byCustomer = [...Map.groupBy(chosen, ({ customer }) => customer)].sort(([a], [b]) => a - b)
    const each = (read: (orders: Order[]) => number) =>
      toNumberVector(byCustomer.map(([, list]) => read(list)))
    return {
      ids: Float64Array.from(byCustomer, ([customer]) => customer),
      columns: {
        key: toTextVector(byCustomer.map(([customer]) => `c${customer}`)),
        count: each(({ length }) => length),
        value: each((list) => list.reduce((sum, order) => sum + value(order), 0)),
        last: each((list) => Math.max(...list.map(time))),
      },
    }
  }
  const perCustomer = ({ events, where = {}, before = Infinity }: EventTableQuery) => {
    const refunds = events.includes('order.refunded')
    const fits = (order: Order) =>
      time(order) < before &&
      (where.shop === undefined || order.shop === where.shop) &&
      (where['items.category'] === undefined ||
        order.categories?.includes(String(where['items.category'])) === true) &&
      (!refunds || order.refund !== undefined)
    return fold(orders.filter(fits), (order) => (refunds ? order.refund! : order.amount))
  }
  const readCustomers = (segmentId: string | undefined) => {
    const chosen = orders.filter(({ customer }) => segmentId === undefined || customer % 2 === 1)
    const { ids, columns } = fold(chosen, ({ amount }) => amount)
    const net = fold(chosen, ({ amount, refund = 0 }) => amount - refund).columns.value!
    const { key, count, value, last } = columns
    return {
      ids,
      columns: {
        key: key!,
        commerce_orders: count!,
        commerce_spend: value!,
        commerce_net_spend: net,
        commerce_last_order_at: last!,
      },
    }
  }
  return {
    settings: { ...defaults, ...settings },
    brand: { currency: 'CNY', timeZone: 'Asia/Shanghai', locale: 'zh-CN' },
    customers: {
      read: async ({ segmentId }) => readCustomers(segmentId),
      aggregate: () => unused('customers.aggregate'),
      find: () => unused('customers.find'),
      tag: () => unused('customers.tag'),
      untag: () => unused('customers.untag'),
    },
    events: {
      perCustomer: async (query) => perCustomer(query),
      series: (): Promise<EventSeriesPoint[]> => unused('events.series'),
      append: () => unused('events.append'),
      query: () => unused('events.query'),
    },
  }
}

function unused(method: string): never {
  throw new Error(`the report is not expected to call ${method}`)
}
