import type { EventSeriesPoint, Huitou, NumberData, Report, ReportData } from '@huitou/plugin-api'
import { toLocale } from '../texts.ts'
import { countBuyers } from './buyers.ts'
import { periodBefore, readPeriod, stepsOf, type Period, type Step } from './periods.ts'
import { reportText } from './report-texts.ts'

interface Figures {
  revenue: number
  refunded: number
  orders: number
  customers: number
}

/** Revenue, orders, buyers and refunds of a period beside the one before it. Refunds count in the period they happen in. */
export function salesReport(huitou: Pick<Huitou, 'brand' | 'events' | 'customers'>): Report {
  return {
    async run(parameters, { now, locale: reader }): Promise<ReportData> {
      const { timeZone, locale } = huitou.brand
      const period = readPeriod(parameters, { now, timeZone, days: 30 })
      const step = readStep(parameters.by, period)
      const segmentId = typeof parameters.segmentId === 'string' ? parameters.segmentId : undefined
      const read = (span: Period) =>
        huitou.events.series({
          events: ['order.paid', 'order.refunded'],
          from: span.from,
          before: span.before,
          by: step,
          ...(segmentId ? { segmentId } : {}),
        })
      const earlier = periodBefore(period, timeZone)
      const [points, earlierPoints, customers, earlierCustomers] = await Promise.all([
        read(period),
        read(earlier),
        countBuyers(huitou, period, segmentId),
        countBuyers(huitou, earlier, segmentId),
      ])
      const here = sum(points, customers)
      const before = sum(earlierPoints, earlierCustomers)
      return {
        blocks: {
          ...numbers(here, before),
          ...trends(points, stepsOf(period, step), toLocale(reader ?? locale)),
        },
      }
    },
  }
}

function numbers(here: Figures, before: Figures): Record<string, NumberData> {
  const basket = (figures: Figures) =>
    figures.orders === 0 ? null : Math.round(figures.revenue / figures.orders)
  const share = (figures: Figures) => (figures.revenue === 0 ? null : figures.refunded / figures.revenue)
  const number = (type: NumberData['type'], of: (figures: Figures) => number | null): NumberData => ({
    kind: 'number',
    type,
    value: of(here),
    previous: of(before),
  })
  return {
    revenue: number('money', (figures) => figures.revenue),
    orders: number('integer', (figures) => figures.orders),
    customers: number('integer', (figures) => figures.customers),
    average_basket: number('money', basket),
    refund_share: number('percent', share),
  }
}

function trends(points: EventSeriesPoint[], steps: string[], locale: 'zh-CN' | 'en'): ReportData['blocks'] {
  const categories = [...new Set([...steps, ...points.map((point) => point.period)])].sort()
  const at = new Map(points.map((point) => [`${point.event} ${point.period}`, point]))
  const values = (event: string, of: (point: EventSeriesPoint) => number) =>
    categories.map((period) => {
      const point = at.get(`${event} ${period}`)
      return point ? of(point) : 0
    })
  const revenue = values('order.paid', (point) => point.value)
  const refunded = values('order.refunded', (point) => point.value)
  const orders = values('order.paid', (point) => point.count)
  const customers = values('order.paid', (point) => point.customers)
  const title = (key: Parameters<typeof reportText>[0]) => reportText(key, locale)
  return {
    trend: {
      kind: 'line',
      type: 'money',
      axis: 'time',
      categories,
      series: [
        { id: 'revenue', title: title('revenue'), color: 'chart-1', values: revenue },
        { id: 'refunded', title: title('refunded'), color: 'chart-4', values: refunded },
      ],
    },
    orders_trend: {
      kind: 'bar',
      type: 'integer',
      axis: 'time',
      categories,
      series: [{ id: 'orders', title: title('orders'), color: 'chart-2', values: orders }],
    },
    periods: {
      kind: 'table',
      columns: [
        { id: 'period', title: title('period'), type: 'text' },
        { id: 'revenue', title: title('revenue'), type: 'money' },
        { id: 'orders', title: title('orders'), type: 'integer' },
        { id: 'customers', title: title('customers'), type: 'integer' },
        { id: 'average_basket', title: title('averageBasket'), type: 'money' },
        { id: 'refunded', title: title('refunded'), type: 'money' },
      ],
      rows: categories
        .map((period, index) => ({
          period,
          revenue: revenue[index]!,
          orders: orders[index]!,
          customers: customers[index]!,
          average_basket: orders[index] ? Math.round(revenue[index]! / orders[index]) : null,
          refunded: refunded[index]!,
        }))
        .reverse(),
    },
  }
}

function sum(points: EventSeriesPoint[], customers: number): Figures {
  const figures: Figures = { revenue: 0, refunded: 0, orders: 0, customers }
  for (const point of points) {
    if (point.event === 'order.refunded') figures.refunded += point.value
    else {
      figures.revenue += point.value
      figures.orders += point.count
    }
  }
  return figures
}

/** Days up to a quarter, weeks up to two years, months beyond, unless the reader chose. */
function readStep(value: unknown, { first, last }: Period): Step {
  if (value === 'day' || value === 'week' || value === 'month') return value
  const days = first.until(last).days
  return days <= 92 ? 'day' : days <= 731 ? 'week' : 'month'
}
