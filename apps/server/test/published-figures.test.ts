import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { importFile } from '@huitou/core'
import { engines } from '@huitou/testing'
import { parse } from 'csv-parse/sync'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from './test-server.ts'

const folder = path.resolve(import.meta.dirname, '../../../../shared/data')
const hasData = existsSync(folder)

const file = (name: string) => path.join(folder, name)
const expected = (name: string) =>
  JSON.parse(readFileSync(file(`expected/${name}`), 'utf8')) as Record<string, never>

async function importOrders(
  server: TestServer,
  name: string,
  more: { mapping?: unknown; options?: Record<string, string> } = {},
) {
  const record = await importFile(server.huitou.core, {
    path: file(name),
    source: 'commerce.orders',
    options: { currency: 'CNY' },
    ...more,
  })
  expect(record).toMatchObject({ state: 'done', error: null })
  await server.settle()
  return record.result as { rows: number; accepted: number; events: Record<string, number> }
}

async function profiles(server: TestServer) {
  const { rows } = await sql<Record<string, number | string | null>>`select * from profiles`.execute(
    server.huitou.core.database.db,
  )
  return rows
}

/** Customers, orders and money by label. */
async function bySegment(server: TestServer) {
  const { rows } = await sql<{ segment: string | null; customers: number; orders: number; spend: number }>`
    select rfm_segment as segment, count(*) as customers, sum(commerce_orders) as orders, sum(commerce_spend) as spend
    from profiles where commerce_orders > 0 group by rfm_segment`.execute(server.huitou.core.database.db)
  return rows
}

describe.skipIf(!hasData).each(engines)('on %s', (engine) => {
  // The longest of all: the orders of the R package walk the same way on the other database.
  test.runIf(engine === 'sqlite')(
    'a gift shop’s year: customers, invoices, revenue and scores are the published ones',
    { timeout: 300_000 },
    async () => {
      await using server = await startTestServer(engine)
      await importOrders(server, 'online_retail/online_retail_public.csv.gz')
      const { valid, rfm_quantile: quantile } = expected('online_retail_public.json') as unknown as {
        valid: { customers: number; invoices: number; revenue: number }
        rfm_quantile: {
          counts: { qR: Record<string, number>; qF: Record<string, number>; qM: Record<string, number> }
        }
      }
      const published = parse(
        gunzipSync(readFileSync(file('expected/online_retail_public_customers.csv.gz'))),
        { columns: true },
      ) as Record<string, string>[]
      const buyers = (await profiles(server)).filter((row) => (row['commerce_orders'] as number) > 0)
      expect(buyers).toHaveLength(valid.customers)
      expect(buyers.reduce((sum, row) => sum + (row['commerce_orders'] as number), 0)).toBe(valid.invoices)
      expect(buyers.reduce((sum, row) => sum + (row['commerce_spend'] as number), 0)).toBe(
        Math.round(valid.revenue * 100),
      )
      const scores = (rows: Record<string, number | string | null>[]) =>
        new Map(
          rows.map((row) => [
            row['key'],
            [row['rfm_r'], row['rfm_f'], row['rfm_m'], row['rfm_recency_days']],
          ]),
        )
      expect(scores(buyers)).toEqual(
        new Map(
          published.map((row) => [
            row['cid'],
            [row['R'], row['F'], row['M'], row['recency_days']].map(Number),
          ]),
        ),
      )

      await server.huitou.plugins.setSettings('huitou.rfm', { method: 'quantile' })
      await server.settle()
      const after = (await profiles(server)).filter((row) => (row['commerce_orders'] as number) > 0)
      expect(scores(after)).toEqual(
        new Map(
          published.map((row) => [
            row['cid'],
            [row['qR'], row['qF'], row['qM'], row['recency_days']].map(Number),
          ]),
        ),
      )
      for (const [column, counts] of [
        ['rfm_r', quantile.counts.qR],
        ['rfm_f', quantile.counts.qF],
        ['rfm_m', quantile.counts.qM],
      ] as const) {
        expect(
          Object.fromEntries(
            [1, 2, 3, 4, 5].map((score) => [score, after.filter((row) => row[column] === score).length]),
          ),
        ).toEqual(counts)
      }
    },
  )

  test(
    'the R package’s orders fall into exactly the segments it publishes',
    { timeout: 120_000 },
    async () => {
      await using server = await startTestServer(engine)
      await server.huitou.plugins.setSettings('huitou.rfm', {
        method: 'rfm_r',
        scheme: 'rfm_r',
        reference: 'date',
        referenceDate: '2006-12-31',
      })
      await importOrders(server, 'rfm_r/rfm_data_orders.csv.gz')
      const segments = (
        expected('rfm_data_orders.json') as unknown as {
          orders_public: { segments: Record<string, { customers: number; orders: number; revenue: number }> }
        }
      ).orders_public.segments
      const titles = new Map(
        (server.huitou.core.points.segmenters.find('rfm.segment')?.value.labels ?? []).map(
          ({ id, title }) => [id, (title as unknown as { en: string }).en],
        ),
      )
      const found = await bySegment(server)
      // The package's names, in the form that the product writes them in.
      const names: Record<string, string> = {
        'Need Attention': 'need_attention',
        "Can't Lose Them": 'cannot_lose',
        'Loyal Customers': 'loyal',
        'New Customers': 'new',
        'Potential Loyalist': 'potential_loyalist',
        'About To Sleep': 'about_to_sleep',
        'At Risk': 'at_risk',
        Champions: 'champions',
        Lost: 'lost',
        Promising: 'promising',
      }
      expect(titles.size).toBe(11)
      for (const [name, wanted] of Object.entries(segments)) {
        const own = found.find(({ segment }) => segment === names[name])
        expect([name, own?.customers, own?.orders, own?.spend]).toEqual([
          name,
          wanted.customers,
          wanted.orders,
          wanted.revenue * 100,
        ])
      }
    },
  )
})

describe.skipIf(!hasData)('on SQLite', () => {
  test('CDNOW’s sample imports: every purchase of every customer', { timeout: 120_000 }, async () => {
    await using server = await startTestServer()
    await importOrders(server, 'cdnow/cdnow_sample_transactions.csv.gz')
    const rows = await profiles(server)
    expect(rows.length).toBe(2_357)
    expect(rows.reduce((sum, row) => sum + (row['commerce_orders'] as number), 0)).toBe(6_919)
  })

  test(
    'a month of Tmall orders imports: paid orders, payments and refunds',
    { timeout: 120_000 },
    async () => {
      await using server = await startTestServer()
      const { events } = await importOrders(server, 'tmall_orders/tmall_order_report.public.csv.gz')
      const figures = expected('tmall.json') as unknown as Record<string, number>
      expect(events).toMatchObject({
        'order.paid': figures['paid_orders'],
        'order.refunded': figures['refund_orders'],
      })
      const { rows } = await sql<{
        name: string
        total: number
      }>`select name, sum(value) as total from timeline where current = 1 and value is not null group by name`.execute(
        server.huitou.core.database.db,
      )
      const totals = Object.fromEntries(rows.map(({ name, total }) => [name, total]))
      expect(totals['order.refunded']).toBe(Math.round((figures['sum_refund'] ?? 0) * 100))
      expect((totals['order.paid'] ?? 0) - (totals['order.refunded'] ?? 0)).toBe(
        Math.round((figures['sum_actual_paid'] ?? 0) * 100),
      )
    },
  )
})
