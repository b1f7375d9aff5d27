import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  add,
  compare,
  findDecimal,
  minorPlaces,
  multiply,
  negate,
  subtract,
  toAmount,
  toMinor,
  toNumber,
  ZERO,
} from './money.ts'

test.each([
  ['0.1', 10],
  ['1,234.50', 123_450],
  ['1,234,567', 123_456_700],
  ['¥12.5', 1_250],
  ['￥ 12.50', 1_250],
  ['598元', 59_800],
  ['499.00（系统计算中，该值仅供参考）', 49_900],
  ['-3.20', -320],
  ['−3.20', -320],
  ['3.20-', -320],
  ['(3.20)', -320],
  ['（3.20）', -320],
  ['-$1,000.00', -100_000],
  ['1.234,56', 123_456],
  ['12,5', 1_250],
  ['.5', 50],
  ['5.', 500],
  ['１２．３４', 1_234],
  ['\t99', 9_900],
  ['="15.90"', 1_590],
  ['12.345', 1_235],
  ['12.344', 1_234],
  ['-12.345', -1_235],
  ['US$5.00', 500],
  ['RMB 8', 800],
])('%j is %i fen', (cell, minor) => {
  expect(toMinor(findDecimal(cell)!, 'CNY')).toBe(minor)
})

test.each(['', '-', '——', 'null', 'abc', '1.2.3', '12,34,5.6', '1e5', '2024-01-01', '--5-', undefined])(
  '%j is no amount',
  (cell) => {
    expect(findDecimal(cell)).toBeUndefined()
  },
)

test('a currency without minor units has none', () => {
  expect(minorPlaces('JPY')).toBe(0)
  expect(toMinor(findDecimal('1280')!, 'JPY')).toBe(1280)
  expect(toAmount(1280, 'JPY')).toBe(1280)
})

const decimal = fc
  .tuple(fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }), fc.nat({ max: 4 }))
  .map(([digits, scale]) => ({ digits, scale }))

test('a line total is the exact product, and a sum does not depend on the order of its parts', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(decimal, decimal), { maxLength: 20 }), (lines) => {
      const sum = (parts: typeof lines) =>
        parts.reduce((total, [quantity, price]) => add(total, multiply(quantity, price)), ZERO)
      const forward = sum(lines)
      expect(compare(forward, sum(lines.toReversed()))).toBe(0)
      const scaled = lines.reduce(
        (total, [a, b]) => total + a.digits * b.digits * 10n ** BigInt(8 - a.scale - b.scale),
        0n,
      )
      expect(forward.digits * 10n ** BigInt(8 - forward.scale)).toBe(scaled)
    }),
  )
})

test('rounding happens once, by at most half a minor unit, and is symmetric', () => {
  fc.assert(
    fc.property(decimal, (value) => {
      const minor = toMinor(value, 'CNY')
      const off = subtract(value, { digits: BigInt(minor), scale: 2 })
      expect(compare(multiply(off, off), { digits: 25n, scale: 6 })).toBeLessThanOrEqual(0)
      expect(toMinor(negate(value), 'CNY') + minor).toBe(0)
    }),
  )
})

test('an amount written to two places survives the way into an event and back', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1e13, max: 1e13 }), (minor) => {
      expect(Math.round(toAmount(minor, 'CNY') * 100)).toBe(minor)
      expect(toMinor(findDecimal((minor / 100).toFixed(2))!, 'CNY') + 0).toBe(minor + 0)
    }),
  )
})

test('a quantity becomes the nearest number', () => {
  expect(toNumber(findDecimal('2.55')!)).toBe(2.55)
})
