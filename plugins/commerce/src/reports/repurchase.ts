import type { CohortData, CustomersBehind, Huitou, Report, ReportData, SeriesData } from '@huitou/plugin-api'
import { toLocale, type Locale } from '../texts.ts'
import { readBuyers, type Buyer } from './buyers.ts'
import { readPeriod, stepsOf, toPeriod } from './periods.ts'
import { reportText } from './report-texts.ts'

const BUCKETS: [from: number, to: number][] = [
  [1, 1],
  [2, 2],
  [3, 3],
  [4, 4],
  [5, 5],
  [6, 10],
  [11, Infinity],
]
const COHORT_MONTHS = 12

/** How many buyers come back, how often, and in which month after their first order. Without dates: all time. */
export function repurchaseReport(huitou: Pick<Huitou, 'brand' | 'events' | 'customers'>): Report {
  return {
    async run(parameters, { now, locale: reader }): Promise<ReportData> {
      const { timeZone } = huitou.brand
      const locale = toLocale(reader ?? huitou.brand.locale)
      const segmentId = typeof parameters.segmentId === 'string' ? parameters.segmentId : undefined
      const bounded = Boolean(parameters.from ?? parameters.to)
      const period = readPeriod(parameters, { now, timeZone, days: 365 })
      const buyers = await readBuyers(huitou, bounded ? period : {}, segmentId)
      const repeat = buyers.filter((buyer) => buyer.orders >= 2)
      const spend = (of: Buyer[]) => of.reduce((sum, buyer) => sum + buyer.spend, 0)
      const total = spend(buyers)
      return {
        blocks: {
          buyers: { kind: 'number', type: 'integer', value: buyers.length },
          repeat_buyers: { kind: 'number', type: 'integer', value: repeat.length },
          repeat_rate: {
            kind: 'number',
            type: 'percent',
            value: buyers.length === 0 ? null : repeat.length / buyers.length,
          },
          repeat_revenue: {
            kind: 'number',
            type: 'percent',
            value: total <= 0 ? null : spend(repeat) / total,
          },
          frequency: frequency(buyers, locale, !bounded && segmentId === undefined),
          retention: await retention(huitou, { now, timeZone, locale, segmentId }),
        },
      }
    },
  }
}

function frequency(buyers: Buyer[], locale: Locale, wholeBrand: boolean): SeriesData {
  const values = BUCKETS.map(
    ([from, to]) => buyers.filter(({ orders }) => orders >= from && orders <= to).length,
  )
  return {
    kind: 'bar',
    type: 'integer',
    axis: 'category',
    categories: BUCKETS.map(([from, to]) => {
      if (to === Infinity) return reportText('orMore', locale, from)
      return from === 1
        ? reportText('once', locale)
        : reportText('times', locale, from === to ? from : `${from}–${to}`)
    }),
    series: [{ id: 'customers', title: reportText('customers', locale), color: 'chart-1', values }],
    // Columns hold all of a customer's orders, so they only match when the report covers all time.
    ...(wholeBrand ? { behind: BUCKETS.map(behind) } : {}),
  }
}

function behind([from, to]: [number, number]): CustomersBehind | null {
  if (to === Infinity) return null
  return {
    commerce_orders: from === to ? from : Array.from({ length: to - from + 1 }, (_, index) => from + index),
  }
}

/** Rows: month of the first order ever. Columns: share of them with an order in the n-th month after. */
async function retention(
  huitou: Pick<Huitou, 'brand' | 'events' | 'customers'>,
  {
    now,
    timeZone,
    locale,
    segmentId,
  }: { now: number; timeZone: string; locale: Locale; segmentId: string | undefined },
): Promise<CohortData> {
  const today = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(timeZone).toPlainDate()
  const first = today.with({ day: 1 }).subtract({ months: COHORT_MONTHS - 1 })
  const months = stepsOf(toPeriod(first, today, timeZone), 'month')
  const bounds = months.map((month) => {
    const start = Temporal.PlainDate.from(month)
    return toPeriod(start, start.add({ months: 1 }).subtract({ days: 1 }), timeZone)
  })
  const everyone = await readBuyers(huitou, {}, segmentId)
  const active: Set<number>[] = []
  for (const { from, before } of bounds) {
    active.push(new Set((await readBuyers(huitou, { from, before }, segmentId)).map(({ id }) => id)))
  }
  const cohorts = bounds.map(({ from, before }) =>
    everyone.filter((buyer) => buyer.first >= from && buyer.first < before),
  )
  return {
    kind: 'cohort',
    rows: months.map((month, index) => ({
      id: month,
      title: month.slice(0, 7),
      size: cohorts[index]!.length,
    })),
    columns: months.slice(1).map((_, index) => reportText('month', locale, index + 1)),
    values: cohorts.map((cohort, row) =>
      months.slice(1).map((_, index) => {
        const month = active[row + index + 1]
        if (!month || cohort.length === 0) return null
        return cohort.filter(({ id }) => month.has(id)).length / cohort.length
      }),
    ),
  }
}
