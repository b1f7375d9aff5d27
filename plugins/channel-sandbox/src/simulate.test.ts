import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readHabits, receiptsUntil } from './simulate.ts'

const hour = 3_600_000
const sentAt = Date.UTC(2026, 2, 1, 4)
const message = (key: string) => ({ key, providerId: `p ${key}`, sentAt })
const keys = Array.from({ length: 2_000 }, (_, at) => `${at}.welcome.1`)

test('shares come out as set', () => {
  const habits = readHabits({ readPercent: 50, clickPercent: 20, bouncePercent: 10 })
  const told = keys.flatMap((key) => receiptsUntil({ ...message(key), now: sentAt + 24 * hour }, habits))
  const share = (kind: string) => told.filter((receipt) => receipt.kind === kind).length / keys.length
  expect(share('bounced')).toBeCloseTo(0.1, 1)
  expect(share('read')).toBeCloseTo(0.45, 1)
  expect(share('clicked')).toBeCloseTo(0.18, 1)
})

test('law: what was told once is told again, in the same words, and nothing happens before its time', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(12 * hour), fc.nat(12 * hour), (key, early, later) => {
      const habits = readHabits({ readPercent: 90, clickPercent: 50, replyPercent: 50 })
      const before = receiptsUntil({ ...message(key), now: sentAt + early }, habits)
      const after = receiptsUntil({ ...message(key), now: sentAt + early + later }, habits)
      expect(after.slice(0, before.length)).toEqual(before)
      expect(after.every(({ at }) => at >= sentAt && at <= sentAt + early + later)).toBe(true)
    }),
  )
})
