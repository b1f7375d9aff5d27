import type { Segmenter, SegmenterContribution } from '@huitou/plugin-api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createShop, engines, type Shop } from '../../test/shop-fixture.ts'
import { toSpreadsheet } from '../spreadsheet.ts'
import { advanceSegments } from './advance.ts'
import { syncBuiltinSegments } from './builtin.ts'
import { explainRule, membershipHistory } from './explain.ts'
import { exportSegment } from './export.ts'
import { segmentHistory, segmentOverlaps } from './history.ts'
import {
  createSegment,
  deleteSegment,
  getSegment,
  listSegments,
  segmentsOfCustomer,
  snapshotSegment,
  updateSegment,
} from './queries.ts'
import type { Rule } from './rule.ts'
import { searchCustomers } from './search.ts'

const DAY = 86_400_000
const NOW = Date.parse('2026-11-21T10:00:00+08:00')
const shanghai: Rule = { all: [{ column: 't_city', op: 'is', value: '上海' }] }

describe.each(engines)('segments on %s', (engine) => {
  let shop: Shop
  const settle = async () => {
    while (await advanceSegments(shop));
  }
  beforeAll(async () => {
    shop = await createShop(engine, NOW)
    await shop.addColumns([
      { name: 'last_seen_at', type: 'time', kind: 'core' },
      { name: 't_name', type: 'text', pii: true },
      { name: 't_phone', type: 'text', pii: true },
      { name: 't_city', type: 'text', title: { en: 'City', 'zh-CN': '城市' } },
      { name: 'commerce_spend', type: 'money', title: { en: 'Spend', 'zh-CN': '消费' } },
      {
        name: 'rfm_segment',
        type: 'label',
        options: [{ value: 'champions', title: { en: 'Champions', 'zh-CN': '冠军' } }],
      },
    ])
    await shop.put([
      {
        customer_id: 1,
        t_name: '王小明',
        t_phone: '+8613800002046',
        t_city: '上海',
        commerce_spend: 129_900,
        rfm_segment: 'champions',
        last_seen_at: NOW - DAY,
      },
      { customer_id: 2, t_name: 'Li Na', t_city: '上海', commerce_spend: 5_000, last_seen_at: NOW - 2 * DAY },
      { customer_id: 3, key: '+8613900001111', t_city: '北京', last_seen_at: NOW - 2 * DAY },
      { customer_id: 4, t_name: '=SUM(A1)', last_seen_at: NOW - 9 * DAY },
    ])
    const identifiers = [1, 2, 3, 4].map((id) => ({
      id,
      kind: 'user_id',
      value: `u${id}`,
      customer_id: id,
      first_seen_at: 0,
    }))
    await shop.database.db
      .insertInto('identifiers')
      .values([
        ...identifiers,
        { id: 9, kind: 'phone', value: '+8613800002046', customer_id: 1, first_seen_at: 0 },
      ])
      .execute()
    await shop.happen([{ customer_id: 1, name: 'order.paid', ts: NOW - DAY }])
  })
  afterAll(() => shop[Symbol.asyncDispose]())

  test('a segment is made, filled, renamed and taken away', async () => {
    const made = await createSegment(shop, { name: ' Shanghai ', rule: shanghai })
    expect(made).toMatchObject({ name: 'Shanghai', kind: 'dynamic', state: 'evaluating', count: 0 })
    await settle()
    expect(await getSegment(shop, made.id)).toMatchObject({
      state: 'ready',
      count: 2,
      entered24h: 2,
      left24h: 0,
    })
    expect(await updateSegment(shop, made.id, { name: '上海', rule: shanghai })).toMatchObject({
      name: '上海',
      state: 'ready',
    })
    const changed = await updateSegment(shop, made.id, { rule: { all: [{ not: shanghai }] } })
    expect(changed.state).toBe('evaluating')
    await settle()
    expect(await getSegment(shop, made.id)).toMatchObject({ count: 2, entered24h: 4, left24h: 2 })
    await deleteSegment(shop, made.id)
    await expect(getSegment(shop, made.id)).rejects.toMatchObject({ code: 'E_NOT_FOUND', status: 404 })
  })

  test('a rule may not lead back to itself, nor name what is not there', async () => {
    const inner = await createSegment(shop, { name: 'inner', rule: shanghai })
    const outer = await createSegment(shop, { name: 'outer', rule: { all: [{ segment: inner.id }] } })
    await expect(
      updateSegment(shop, inner.id, { rule: { any: [{ segment: outer.id }] } }),
    ).rejects.toMatchObject({ code: 'E_RULE_LOOP' })
    await expect(
      updateSegment(shop, inner.id, { rule: { any: [{ segment: inner.id }] } }),
    ).rejects.toMatchObject({ code: 'E_RULE_LOOP' })
    await expect(deleteSegment(shop, inner.id)).rejects.toMatchObject({
      code: 'E_SEGMENT_IN_USE',
      status: 409,
      message: '"inner" is used by "outer"',
    })
    const refusals: [Rule, string][] = [
      [{ all: [{ column: 'nope', op: 'is', value: 'x' }] }, 'E_RULE_COLUMN'],
      [{ all: [{ column: 't_city', op: 'gte', value: 3 }] }, 'E_RULE_OP'],
      [{ all: [{ column: 'commerce_spend', op: 'gte', value: '3' }] }, 'E_RULE_VALUE'],
      [{ all: [{ segment: 'nope' }] }, 'E_RULE_SEGMENT'],
      [{ all: [{ column: 't_city', op: 'in', value: [] }] }, 'E_RULE_VALUE'],
    ]
    for (const [rule, code] of refusals)
      await expect(createSegment(shop, { name: 'x', rule })).rejects.toMatchObject({ code })
    await deleteSegment(shop, outer.id)
    await deleteSegment(shop, inner.id)
  })

  test('editing a segment moves the ones built on it', async () => {
    const inner = await createSegment(shop, { name: 'inner', rule: shanghai })
    const outer = await createSegment(shop, {
      name: 'outer',
      rule: { all: [{ not: { segment: inner.id } }] },
    })
    await settle()
    await updateSegment(shop, inner.id, { rule: { all: [{ column: 't_city', op: 'is', value: '北京' }] } })
    await settle()
    expect((await getSegment(shop, outer.id)).count).toBe(3)
    await deleteSegment(shop, outer.id)
    await deleteSegment(shop, inner.id)
  })

  test('labels of plugins are segments as long as the plugin is enabled', async () => {
    const text = (en: string) => ({ en, 'zh-CN': en === 'Champions' ? '冠军' : en })
    const contribution: SegmenterContribution = {
      id: 'segment',
      title: 'RFM',
      inputs: [],
      labels: [{ id: 'champions', title: 'Champions', color: 'chart-1' }],
    }
    const run: Segmenter['assign'] = () => new Int16Array()
    const remove = shop.points.segmenters.add({ plugin: 'huitou.rfm', prefix: 'rfm', text }, 'rfm.segment', {
      ...contribution,
      run,
    })
    await syncBuiltinSegments(shop.database, shop.points, shop.now)
    await settle()
    const id = 'builtin:rfm.segment.champions'
    expect(await getSegment(shop, id)).toMatchObject({
      name: 'Champions',
      title: { 'zh-CN': '冠军' },
      group: 'RFM',
      color: 'chart-1',
      kind: 'builtin',
      owner: 'huitou.rfm',
      count: 1,
    })
    await expect(updateSegment(shop, id, { name: 'x' })).rejects.toMatchObject({ code: 'E_SEGMENT_BUILTIN' })
    remove()
    await syncBuiltinSegments(shop.database, shop.points, shop.now)
    expect(await listSegments(shop)).toEqual([])
    await shop.put([
      {
        customer_id: 2,
        t_name: 'Li Na',
        t_city: '上海',
        commerce_spend: 5_000,
        rfm_segment: 'champions',
        last_seen_at: NOW - 2 * DAY,
      },
    ])
    await shop.changed([{ customer_id: 2, columns: ['rfm_segment'] }])
    await settle()
    shop.points.segmenters.add({ plugin: 'huitou.rfm', prefix: 'rfm', text }, 'rfm.segment', {
      ...contribution,
      run,
    })
    await syncBuiltinSegments(shop.database, shop.points, shop.now)
    await settle()
    expect((await getSegment(shop, id)).count).toBe(2)
    expect(await segmentsOfCustomer(shop, 2)).toMatchObject([{ id, name: 'Champions', since: shop.now }])
  })

  test('why a customer is in or out, line by line, personal data masked', async () => {
    const rule: Rule = {
      all: [
        { column: 't_phone', op: 'contains', value: '2046' },
        {
          any: [
            { event: 'order.paid', count: { op: '>=', value: 2 }, within: { days: 30 } },
            { not: { column: 't_city', op: 'is', value: '北京' } },
          ],
        },
        { segment: 'builtin:rfm.segment.champions' },
      ],
    }
    expect(await explainRule(shop, rule, 1)).toEqual({
      optedOut: false,
      member: true,
      lines: [
        {
          path: 'all.0',
          ok: true,
          negated: false,
          kind: 'column',
          column: 't_phone',
          op: 'contains',
          actual: '138****2046',
          wanted: '2046',
        },
        {
          path: 'all.1.any.0',
          ok: false,
          negated: false,
          kind: 'event',
          event: 'order.paid',
          where: [],
          withinDays: 30,
          op: '>=',
          actual: 1,
          wanted: 2,
        },
        {
          path: 'all.1.any.1.not',
          ok: true,
          negated: true,
          kind: 'column',
          column: 't_city',
          op: 'is',
          actual: '上海',
          wanted: '北京',
        },
        {
          path: 'all.2',
          ok: true,
          negated: false,
          kind: 'segment',
          segment: 'builtin:rfm.segment.champions',
          op: 'in',
          actual: true,
          wanted: true,
        },
      ],
    })
    expect((await explainRule(shop, rule, 3)).lines.map(({ ok }) => ok)).toEqual([false, false, false, false])
    expect(await explainRule(shop, rule, 77)).toEqual({
      optedOut: false,
      member: false,
      lines: [],
    })
  })

  test('a list keeps whom it was made of, and history and overlap have no gaps', async () => {
    const segment = await createSegment(shop, { name: 'Shanghai', rule: shanghai })
    await settle()
    const list = await snapshotSegment(shop, segment.id, 'Shanghai then')
    expect(list).toMatchObject({ kind: 'static', count: 2, rule: null })
    shop.now = NOW + 2 * DAY
    await shop.put([{ customer_id: 3, key: '+8613900001111', t_city: '上海', last_seen_at: NOW }])
    await shop.changed([{ customer_id: 3, columns: ['t_city'] }])
    await settle()
    expect(await segmentHistory(shop, segment.id)).toEqual([
      { day: '2026-11-21', count: 2, entered: 2, left: 0 },
      { day: '2026-11-22', count: 2, entered: 0, left: 0 },
      { day: '2026-11-23', count: 3, entered: 1, left: 0 },
    ])
    expect((await getSegment(shop, list.id)).count).toBe(2)
    expect((await segmentHistory(shop, list.id)).map(({ count }) => count)).toEqual([2, 2, 2])
    expect(await membershipHistory(shop.database.db, segment.id, 3)).toEqual([
      { at: shop.now, entered: true },
    ])
    const { approximate, overlaps } = await segmentOverlaps(shop, segment.id)
    expect(approximate).toBe(false)
    expect(overlaps.map(({ name, count, share }) => [name, count, share.toFixed(2)]).toSorted()).toEqual([
      ['Champions', 2, '0.67'],
      ['Shanghai then', 2, '0.67'],
    ])
    const csv = await new Response(
      toSpreadsheet(
        await exportSegment(shop, segment.id, {
          columns: ['t_phone', 'commerce_spend', 'rfm_segment'],
          locale: 'en',
        }),
        'csv',
      ),
    ).text()
    expect(csv.split('\r\n')).toEqual([
      'Customer id,Customer,Joined,t_phone,Spend,rfm_segment',
      'user_id|1,王小明,2026-11-21 10:00:00,138****2046,1299,Champions',
      'user_id|2,Li Na,2026-11-21 10:00:00,,50,Champions',
      '139****1111,139****1111,2026-11-23 10:00:00,,,',
      '',
    ])
    await deleteSegment(shop, segment.id)
    await deleteSegment(shop, list.id)
  })

  test('search finds by rule, by id in any spelling, and by part of a name', async () => {
    const ids = async (search: Partial<Parameters<typeof searchCustomers>[1]>) =>
      (await searchCustomers(shop, { limit: 10, ...search })).rows.map(({ id }) => id)
    expect(await ids({ search: '138 0000 2046' })).toEqual([1])
    expect(await ids({ search: 'u2' })).toEqual([2])
    expect(await ids({ search: 'li n' })).toEqual([2])
    expect(
      await ids({
        rule: { all: [{ column: 'commerce_spend', op: 'is_set' }] },
        sort: { column: 'commerce_spend', dir: 'asc' },
      }),
    ).toEqual([2, 1])
    expect(await ids({ segmentId: 'builtin:rfm.segment.champions' })).toEqual([1, 2])
    const { rows } = await searchCustomers(shop, {
      limit: 1,
      search: 'u1',
      columns: ['t_phone', 'commerce_spend'],
    })
    expect(rows).toEqual([
      {
        id: 1,
        name: '王小明',
        avatarText: '王',
        columns: { t_phone: '138****2046', commerce_spend: 129_900 },
      },
    ])
  })

  test.each(['asc', 'desc'] as const)(
    'pages hold everybody once, those without a value last (%s)',
    async (dir) => {
      for (const column of ['commerce_spend', 't_city', 'last_seen_at']) {
        const seen: number[] = []
        let cursor: string | undefined
        do {
          const page = await searchCustomers(shop, { sort: { column, dir }, cursor, limit: 1 })
          expect(page.total).toBe(4)
          seen.push(...page.rows.map(({ id }) => id))
          cursor = page.cursor
        } while (cursor)
        const whole = await searchCustomers(shop, { sort: { column, dir }, limit: 10 })
        expect(seen).toEqual(whole.rows.map(({ id }) => id))
        expect(seen.toSorted()).toEqual([1, 2, 3, 4])
      }
      await expect(searchCustomers(shop, { cursor: 'x', limit: 1 })).rejects.toMatchObject({
        code: 'E_CURSOR',
      })
    },
  )
})
