import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { BlockData, HeatmapData, NumberData, RunContext, TableData, TextData } from '@huitou/plugin-api'
import manifest from '../../package.json' with { type: 'json' }
import { orderBook } from '../../test/order-book.ts'
import type { Order } from '../../test/order-book.ts'
import { toPlainDate, parseDay } from '../business-days.ts'
import { segmentIds } from '../segments.ts'
import { compareSnapshots } from './migration.ts'
import { createReport } from './report.ts'

const today = '2026-11-19'
const context: RunContext = { now: Date.parse(`${today}T04:00:00Z`), signal: new AbortController().signal }

interface Run {
  parameters?: Record<string, unknown>
  settings?: Record<string, unknown>
  locale?: string
}

async function run(
  orders: Order[],
  { parameters = {}, settings = {}, locale }: Run = {},
): Promise<Record<string, BlockData>> {
  const report = createReport(orderBook(orders, settings))
  const { blocks } = await report.run(parameters, locale === undefined ? context : { ...context, locale })
  return blocks
}

const day = (daysAgo: number) => toPlainDate(parseDay(today) - daysAgo).toString()
const order = fc.record({
  customer: fc.integer({ min: 1, max: 30 }),
  day: fc.nat(200).map(day),
  amount: fc.nat(1000).map((yuan) => yuan * 100),
  shop: fc.constantFrom('north', 'south'),
})
/** The last order is recent, so that the reference day is today. */
const orders = fc
  .array(order, { maxLength: 80 })
  .map((list): Order[] => [...list, { customer: 1, day: day(1), amount: 100, shop: 'north' }])

const rows = (block: BlockData | undefined) => (block as TableData).rows
const sum = (values: Iterable<unknown>) =>
  [...values].reduce((total: number, value) => total + Number(value), 0)

test('every block of the manifest has data of its kind, and no other', async () => {
  const blocks = await run([{ customer: 1, day: day(3), amount: 100 }])
  const kinds = Object.fromEntries(Object.entries(blocks).map(([id, { kind }]) => [id, kind]))
  const declared = manifest.contributes.reports[0]!.blocks
  expect(kinds).toEqual(Object.fromEntries(declared.map(({ id, kind }) => [id, kind])))
})

test('people and money in the map, the segments and the groups add up to all buyers', async () => {
  await fc.assert(
    fc.asyncProperty(orders, async (list) => {
      const { grid, buyers, segments, groups } = await run(list)
      const count = new Set(list.map(({ customer }) => customer)).size
      const [people] = (grid as HeatmapData).measures
      expect([
        (buyers as NumberData).value,
        sum(people!.values.flat()),
        sum(rows(segments).map(({ now }) => now)),
        sum(rows(groups).map(({ now }) => now)),
      ]).toEqual([count, count, count, count])
      expect(sum(rows(segments).map(({ spend }) => spend))).toBe(sum(list.map(({ amount }) => amount)))
    }),
    { numRuns: 40 },
  )
})

test('an earlier day looks as it would have looked that day', async () => {
  await fc.assert(
    fc.asyncProperty(orders, async (list) => {
      const asOf = day(40)
      const parameters = { asOf, compareTo: day(70) }
      const then = await run(list, { parameters })
      expect(then).toEqual(
        await run(
          list.filter((one) => one.day <= asOf),
          { parameters },
        ),
      )
    }),
    { numRuns: 40 },
  )
})

test('today as a chosen day has the same figures as today by itself, and without links to columns', async () => {
  await fc.assert(
    fc.asyncProperty(orders, async (list) => {
      const { notice: _, grid, ...byItself } = await run(list)
      const { notice: __, grid: chosenGrid, ...chosen } = await run(list, { parameters: { asOf: today } })
      expect((grid as HeatmapData).behind?.[0]?.[4]).toEqual({ rfm_r: 5, rfm_f: 5 })
      expect(chosenGrid).toEqual({ ...grid, behind: undefined })
      const unlink = (blocks: Record<string, BlockData>) =>
        JSON.parse(
          JSON.stringify(blocks, (key, value: unknown) =>
            key === '$behind' || key === 'behind' ? undefined : value,
          ),
        ) as unknown
      expect(unlink(chosen)).toEqual(unlink(byItself))
    }),
    { numRuns: 40 },
  )
})

test('before − up − down + came is now, for every segment', () => {
  const snapshot = fc
    .uniqueArray(fc.record({ id: fc.nat(40), segment: fc.integer({ min: -1, max: 10 }) }), {
      selector: ({ id }) => id,
    })
    .map((list) => list.toSorted((a, b) => a.id - b.id))
    .map((list) => ({
      ids: Float64Array.from(list, ({ id }) => id),
      segments: Int16Array.from(list, ({ segment }) => segment),
    }))
  fc.assert(
    fc.property(snapshot, snapshot, (before, now) => {
      const { segments, firstBuyers } = compareSnapshots(before, now, segmentIds.length)
      for (const movement of segments) {
        expect(movement.before - movement.up - movement.down + movement.came).toBe(movement.now)
        for (const count of Object.values(movement)) expect(count).toBeGreaterThanOrEqual(0)
      }
      expect(firstBuyers).toBe(now.ids.filter((id) => !before.ids.includes(id)).length)
    }),
  )
})

test('who moved where in a month', async () => {
  const regular = (customer: number, daysAgo: number[]): Order[] =>
    daysAgo.map((ago) => ({ customer, day: day(ago), amount: 100_00 }))
  const { migration, first_buyers: firstBuyers } = await run(
    [
      ...regular(1, [2, 50, 60]),
      ...regular(2, [45, 55]),
      ...regular(3, [100]),
      ...regular(4, [3, 120]),
      ...regular(5, [5]),
    ],
    { settings: { method: 'fixed' }, locale: 'en' },
  )
  expect((firstBuyers as NumberData).value).toBe(1)
  const moved = rows(migration).filter(({ before, now }) => before !== 0 || now !== 0)
  expect(
    moved.map(({ segment, before, up, down, came, now }) => [segment, before, up, down, came, now]),
  ).toEqual([
    ['Potential loyalists', 2, 0, 0, 1, 3],
    ['New', 0, 0, 0, 1, 1],
    ['Promising', 2, 1, 1, 0, 0],
    ['About to sleep', 0, 0, 0, 1, 1],
  ])
})

test('one shop counts only its orders, in numbers that do not link to columns', async () => {
  const list: Order[] = [
    { customer: 1, day: day(3), amount: 500, shop: 'north' },
    { customer: 2, day: day(3), amount: 700, shop: 'south' },
    { customer: 2, day: day(9), amount: 900, shop: 'north', categories: ['tea', 'cups'] },
  ]
  const north = await run(list, { parameters: { shop: 'north' } })
  expect((north.buyers as NumberData).value).toBe(2)
  expect(sum(rows(north.segments).map(({ spend }) => spend))).toBe(1400)
  expect((north.grid as HeatmapData).behind).toBeUndefined()
  const cups = await run(list, { parameters: { category: 'cups' } })
  expect([(cups.buyers as NumberData).value, sum(rows(cups.segments).map(({ spend }) => spend))]).toEqual([
    1, 900,
  ])
  const odd = await run(list, { parameters: { segmentId: 'odd', shop: 'north' } })
  expect((odd.buyers as NumberData).value).toBe(1)
})

test('refunds are taken off where the setting says so, for now and for then', async () => {
  const list: Order[] = [{ customer: 1, day: day(20), amount: 900, refund: 200 }]
  for (const parameters of [{}, { asOf: today }]) {
    const { segments } = await run(list, { parameters, settings: { monetary: 'net_spend' } })
    expect(sum(rows(segments).map(({ spend }) => spend))).toBe(700)
  }
})

test('the notice says how it was worked out, in the reader’s language', async () => {
  const old: Order[] = [{ customer: 1, day: '2011-12-09', amount: 100 }]
  const { notice } = await run(old, { locale: 'en-GB' })
  expect((notice as TextData).text).toMatchInlineSnapshot(`
    "Scored in fifths by rank: every score holds a fifth of the customers, so customers with equal figures may differ by a point, decided by their customer number.
    Days are counted back from 10 Dec 2011, the day after the newest order: the newest order is more than 30 days old, and counted from today everybody would look lost.
    Compared with 10 Nov 2011, worked out from the orders up to then in the same way."
  `)
  const { notice: chinese } = await run(old, { settings: { method: 'quantile' } })
  expect((chinese as TextData).text).toMatchInlineSnapshot(`
    "按 20%、40%、60%、80% 分位数打分：数字相同分数就相同，所以各组人数不等。
    天数从 2011/12/10（最后一单的次日）往回数：最后一单已超过 30 天，从今天数会让所有人都像流失。
    与 2011/11/10 对比，用截至那天的订单按同样方法计算。"
  `)
})

test('scores say what they stand for', async () => {
  const list = [5, 40, 100, 300, 400].flatMap((ago, index) =>
    Array.from({ length: 5 - index }, (): Order => ({ customer: index + 1, day: day(ago), amount: 100 })),
  )
  const { grid } = await run(list, { settings: { method: 'fixed' } })
  const { x, y } = grid as HeatmapData
  expect(x.map(({ title, note }) => `${title} ${note}`)).toEqual([
    'R1 400 天以上',
    'R2 300 天',
    'R3 100 天',
    'R4 40 天',
    'R5 5 天以内',
  ])
  expect(y.map(({ title, note }) => `${title} ${note}`)).toEqual([
    'F5 ',
    'F4 5 单',
    'F3 3–4 单',
    'F2 2 单',
    'F1 1 单',
  ])
})

test('nobody bought yet: blocks are there and empty', async () => {
  const { buyers, top_share: topShare, grid } = await run([])
  expect([(buyers as NumberData).value, (topShare as NumberData).value]).toEqual([0, null])
  expect((grid as HeatmapData).labels?.flat()).toEqual(Array(25).fill(null))
})

test('a day that is no day is refused', async () => {
  await expect(run([], { parameters: { asOf: 'yesterday' } })).rejects.toMatchObject({ code: 'E_DATE' })
})
