import { expect, test } from 'vitest'
import { fromLocalTime, toLocalTime } from './local-time.ts'

test.each([
  ['2026-03-01T08:30', 'Asia/Shanghai', '2026-03-01T00:30:00Z'],
  ['2026-07-01T08:30', 'Europe/Berlin', '2026-07-01T06:30:00Z'],
  ['2026-01-01T08:30', 'America/New_York', '2026-01-01T13:30:00Z'],
])('a clock that shows %s in %s says %s', (local, zone, instant) => {
  expect(fromLocalTime(local, zone)).toBe(Date.parse(instant))
  expect(toLocalTime(Date.parse(instant), zone)).toBe(local)
})

test('what is no time is none', () => {
  expect(fromLocalTime('', 'Asia/Shanghai')).toBeUndefined()
  expect(toLocalTime(Number.NaN, 'Asia/Shanghai')).toBe('')
})
