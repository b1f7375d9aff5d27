import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareKeys } from './key-order.ts'
import { scoreBuyers } from './score.ts'
import type { Buyers, Scores } from './score.ts'
import type { Method, RfmSettings } from './settings.ts'

const settings: RfmSettings = {
  method: 'rank',
  scheme: 'huitou',
  monetary: 'spend',
  reference: 'auto',
  thresholds: { recency: [30, 90, 180, 365], frequency: [2, 3, 5, 10], monetary: [100, 300, 1000, 3000] },
}
const methods: Method[] = ['rank', 'quantile', 'fixed', 'rfm_r']

const buyer = fc.record({
  key: fc.oneof(
    fc.nat(99).map(String),
    fc.string({ maxLength: 3 }),
    fc.bigInt(10n ** 17n, 10n ** 17n + 9n).map(String),
  ),
  recencyDays: fc.nat(12),
  orders: fc.integer({ min: 1, max: 6 }),
  spend: fc.nat(40).map((tens) => tens * 1000),
})
const buyers = fc.uniqueArray(buyer, { selector: ({ key }) => key, maxLength: 60 })
type Buyer = typeof buyer extends fc.Arbitrary<infer T> ? T : never

function toBuyers(list: Buyer[]): Buyers {
  return {
    keys: list.map(({ key }) => key),
    recencyDays: Float64Array.from(list, ({ recencyDays }) => recencyDays),
    orders: Float64Array.from(list, ({ orders }) => orders),
    spend: Float64Array.from(list, ({ spend }) => spend),
  }
}

const score = (list: Buyer[], method: Method): Scores =>
  scoreBuyers(toBuyers(list), { ...settings, method }, 100)
const cellsByKey = (list: Buyer[], { r, f, m }: Scores) =>
  Object.fromEntries(list.map(({ key }, row) => [key, `${r[row]}${f[row]}${m[row]}`]))

describe.each(methods)('scores by %s', (method) => {
  test('do not depend on the order of the customers', () => {
    const shuffled = buyers.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
    )
    fc.assert(
      fc.property(shuffled, ([list, other]) => {
        expect(cellsByKey(other, score(other, method))).toEqual(cellsByKey(list, score(list, method)))
      }),
    )
  })

  test('are from 1 to 5, and a better value never scores lower', () => {
    fc.assert(
      fc.property(buyers, (list) => {
        const { r, f, m } = score(list, method)
        for (const scores of [r, f, m]) for (const value of scores) expect([1, 2, 3, 4, 5]).toContain(value)
        for (const [a, one] of list.entries()) {
          for (const [b, other] of list.entries()) {
            if (one.recencyDays < other.recencyDays) expect(r[a]).toBeGreaterThanOrEqual(r[b]!)
            if (one.orders > other.orders) expect(f[a]).toBeGreaterThanOrEqual(f[b]!)
            if (one.spend > other.spend) expect(m[a]).toBeGreaterThanOrEqual(m[b]!)
          }
        }
      }),
    )
  })
})

test.each(methods.filter((method) => method !== 'rank'))(
  'scores by %s are equal for equal values',
  (method) => {
    fc.assert(
      fc.property(buyers, (list) => {
        const { f } = score(list, method)
        const byOrders = new Map(list.map(({ orders }, row) => [orders, f[row]]))
        for (const [row, { orders }] of list.entries()) expect(f[row]).toBe(byOrders.get(orders))
      }),
    )
  },
)

test('ranks make groups that differ by one at most, the larger ones lower, as NTILE does', () => {
  fc.assert(
    fc.property(buyers, (list) => {
      const { r, f, m } = score(list, 'rank')
      for (const scores of [r, f, m]) {
        const sizes = [1, 2, 3, 4, 5].map((value) => scores.filter((given) => given === value).length)
        expect(sizes).toEqual([0, 1, 2, 3, 4].map((group) => Math.floor((list.length + 4 - group) / 5)))
      }
    }),
  )
})

test('ranks are those of a plain sort by value and key', () => {
  fc.assert(
    fc.property(buyers, (list) => {
      const { f } = score(list, 'rank')
      const sorted = list.toSorted((a, b) => a.orders - b.orders || compareKeys(a.key, b.key))
      const scores = sorted.map((one) => f[list.indexOf(one)]!)
      expect(scores).toEqual(scores.toSorted())
    }),
  )
})

test('keys are in one order: integers by size, then text', () => {
  expect(
    ['b', '10', '9', '007', 'a', '123456789012345678', '123456789012345679'].toSorted(compareKeys),
  ).toEqual(['9', '10', '123456789012345678', '123456789012345679', '007', 'a', 'b'])
})

test.each([
  { days: 30, r: 5 },
  { days: 31, r: 4 },
  { days: 365, r: 2 },
  { days: 366, r: 1 },
])('with fixed thresholds $days days since the last order are R$r', ({ days, r }) => {
  expect(score([{ key: 'a', recencyDays: days, orders: 1, spend: 0 }], 'fixed').r[0]).toBe(r)
})

test.each([
  { orders: 1, spend: 99_99, f: 1, m: 1 },
  { orders: 2, spend: 100_00, f: 2, m: 2 },
  { orders: 10, spend: 3000_00, f: 5, m: 5 },
])('with fixed thresholds $orders orders are F$f and $spend fen are M$m', ({ orders, spend, f, m }) => {
  const scores = score([{ key: 'a', recencyDays: 1, orders, spend }], 'fixed')
  expect([scores.f[0], scores.m[0]]).toEqual([f, m])
})
