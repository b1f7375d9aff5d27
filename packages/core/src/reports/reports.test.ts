import type { BlockData, Report, ReportContribution } from '@huitou/plugin-api'
import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { createShop, engines, type Shop } from '../../test/shop-fixture.ts'
import type { SignedIn } from '../http/env.ts'
import { answerProblem } from '../http/problem.ts'
import { readHome } from './home.ts'
import { reportRoutes } from './routes.ts'
import { listReports, runReport } from './run.ts'

const DAY = 86_400_000
const text = (en: string) => ({ en, 'zh-CN': `中${en}` })
const table: BlockData = {
  kind: 'table',
  columns: [
    { id: 'city', title: 'City', type: 'text' },
    { id: 'spend', title: 'Spend', type: 'money' },
  ],
  rows: [{ city: '=上海', spend: 12_345, $behind: { t_city: '上海' } }],
}

function addReport(shop: Shop, run: Report['run'], contribution: Partial<ReportContribution> = {}) {
  const value: ReportContribution = {
    id: 'sales',
    title: 'Sales',
    parameters: {
      type: 'object',
      properties: {
        days: { type: 'integer', minimum: 1, default: 30, title: { en: 'Days', 'zh-CN': '天数' } },
      },
    },
    blocks: [
      { id: 'total', kind: 'number', title: 'Total' },
      { id: 'cities', kind: 'table', title: 'Cities' },
    ],
    ...contribution,
  }
  shop.points.reports.add({ plugin: 'huitou.test', prefix: 'test', text }, 'test.sales', { ...value, run })
}

describe('reports', () => {
  test('parameters are checked and completed, and the segment is handed on', async () => {
    await using shop = await createShop('sqlite')
    const asked: unknown[] = []
    addReport(shop, (parameters) => {
      asked.push(parameters)
      return { blocks: { cities: table } }
    })
    expect(listReports(shop.points)).toMatchObject([
      {
        id: 'test.sales',
        title: { 'zh-CN': '中Sales' },
        parameters: { properties: { days: { title: { en: 'Days' } } } },
      },
    ])
    expect((await runReport(shop, 'test.sales', { segmentId: 's', locale: 'en' })).blocks).toEqual({
      cities: table,
    })
    expect(asked).toEqual([{ days: 30, segmentId: 's' }])
    await expect(
      runReport(shop, 'test.sales', { parameters: { days: 0 }, locale: 'en' }),
    ).rejects.toMatchObject({
      code: 'E_REPORT_PARAMETERS',
      message: 'Report "test.sales": days must be >= 1',
    })
    await expect(runReport(shop, 'nope', { locale: 'en' })).rejects.toMatchObject({ code: 'E_NOT_FOUND' })
  })

  test.each<[string, unknown, string]>([
    ['not finite', { kind: 'number', value: Number.NaN, type: 'money' }, 'block "total" at value'],
    [
      'of another kind',
      { kind: 'funnel', steps: [] },
      'block "total" is declared as number and came as funnel',
    ],
    ['unknown', { kind: 'pie' }, 'block "total" at kind'],
  ])('an answer that is %s never reaches anyone', async (_, total, place) => {
    await using shop = await createShop('sqlite')
    addReport(shop, () => ({ blocks: { total: total as BlockData } }))
    const error = await runReport(shop, 'test.sales', { locale: 'en' }).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'E_REPORT_ANSWER', kind: 'bug' })
    expect((error as Error).message).toContain(`plugin "huitou.test" answered wrongly: ${place}`)
  })

  test('a report that hangs ends when its reader leaves', async () => {
    await using shop = await createShop('sqlite')
    const leave = new AbortController()
    let seen: AbortSignal | undefined
    addReport(shop, (_, { signal }) => {
      seen = signal
      leave.abort()
      return new Promise(() => {})
    })
    await expect(runReport(shop, 'test.sales', { locale: 'en', signal: leave.signal })).rejects.toMatchObject(
      { code: 'E_CANCELLED' },
    )
    expect(seen?.aborted).toBe(true)
  })

  test('a block goes out as a file', async () => {
    await using shop = await createShop('sqlite')
    addReport(shop, () => ({ blocks: { cities: table } }))
    const app = new Hono<SignedIn>().use(async (c, next) => {
      c.set('user', {
        id: 'u',
        name: 'O',
        email: 'o@example.com',
        role: 'owner',
        locale: 'en',
      } as SignedIn['Variables']['user'])
      await next()
    })
    app.route('/api/reports', reportRoutes(shop))
    app.onError((error, c) => answerProblem(c, error, shop.log))
    const post = (body: object) =>
      app.request('/api/reports/test.sales/export', {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      })
    const answer = await post({ format: 'csv', locale: 'zh-CN' })
    expect(answer.headers.get('content-disposition')).toContain(encodeURIComponent('中Sales 中Cities.csv'))
    expect(await answer.text()).toBe("City,Spend\r\n'=上海,123.45\r\n")
    expect(await (await post({ format: 'csv', block: 'total' })).json()).toMatchObject({
      code: 'E_REPORT_BLOCK',
      status: 404,
    })
  })
})

describe.each(engines)('the first page on %s', (engine) => {
  test('shows today beside the days before, and what needs a person', async () => {
    await using shop = await createShop(engine)
    expect(await readHome(shop)).toEqual({ day: '2026-11-21', tiles: [], attention: [] })
    await shop.put([
      { customer_id: 1, first_seen_at: shop.now - 40 * DAY },
      { customer_id: 2, first_seen_at: shop.now },
    ])
    await shop.happen([
      { customer_id: 1, name: 'order.paid', ts: shop.now - DAY, value: 500 },
      { customer_id: 1, name: 'order.paid', ts: shop.now, value: 1_000 },
      { customer_id: 2, name: 'order.paid', ts: shop.now, value: 2_000 },
      { customer_id: 2, name: 'product.viewed', ts: shop.now },
    ])
    await shop.database.db
      .insertInto('segments')
      .values({
        id: 's',
        name: 'S',
        kind: 'dynamic',
        owner: 'user',
        rule: '{"all":[]}',
        created_at: 0,
        updated_at: 0,
        evaluated_day: null,
        error: '{"code":"E_RULE_COLUMN","message":"gone"}',
        display: null,
      })
      .execute()
    const home = await readHome(shop)
    expect(Object.fromEntries(home.tiles.map(({ id, value, previous }) => [id, [value, previous]]))).toEqual({
      new_customers: [1, 0],
      active_customers: [2, 1],
      orders: [2, 1],
      revenue: [3_000, 500],
      segment_changes: [0, 0],
      events: [3, 1],
    })
    expect(home.tiles.every(({ spark, note }) => spark.length === 14 && note === undefined)).toBe(true)
    expect(home.attention).toMatchObject([{ kind: 'segment', detail: 'gone', action: { to: '/segments/s' } }])
    shop.now += 30 * DAY
    const later = await readHome(shop)
    expect(later.day).toBe('2026-11-21')
    expect(later.tiles.find(({ id }) => id === 'revenue')).toMatchObject({
      value: 3_000,
      note: { en: 'The newest data is of 2026-11-21' },
    })
  })
})
