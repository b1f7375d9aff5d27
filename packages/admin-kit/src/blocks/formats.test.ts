import { describe, expect, test } from 'vitest'
import { createFormats, withSpaces } from './formats.ts'

const now = Date.parse('2026-11-21T04:00:00Z')
const zh = createFormats({ locale: 'zh-CN', currency: 'CNY', timeZone: 'Asia/Shanghai', now: () => now })
const en = createFormats({ locale: 'en', currency: 'CNY', timeZone: 'Asia/Shanghai', now: () => now })

describe('figures', () => {
  test.each([
    ['money', 421_000, '¥4,210', '¥4,210'],
    ['money', 1250, '¥12.50', '¥12.50'],
    ['money', -8800, '−¥88', '−¥88'],
    ['percent', 0.1305, '13.1%', '13.1%'],
    ['integer', 18250, '18,250', '18,250'],
    ['integer', null, '–', '–'],
    ['time', Date.parse('2026-11-20T17:00:00Z'), '今天', 'today'],
    ['time', Date.parse('2026-11-20T15:59:00Z'), '昨天', 'yesterday'],
    ['time', Date.parse('2026-11-12T03:00:00Z'), '9 天前', '9 days ago'],
    ['time', Date.parse('2026-03-22T03:00:00Z'), '03-22', '03-22'],
    ['time', Date.parse('2025-03-22T03:00:00Z'), '2025-03-22', '2025-03-22'],
  ] as const)('%s %s reads %s and %s', (type, value, inChinese, inEnglish) => {
    expect(zh.value(value, type)).toBe(inChinese)
    expect(en.value(value, type)).toBe(inEnglish)
  })

  test('a difference carries its sign', () => {
    expect([180, -210, 0].map((n) => zh.signed(n, 'integer'))).toEqual(['+180', '−210', '0'])
  })

  test('axes write large figures short', () => {
    expect(zh.short(12_000, 'integer')).toBe('1.2 万')
    expect(en.short(1_200_000, 'money')).toBe('¥12K')
  })
})

describe('days', () => {
  const tuesday = Date.parse('2026-11-17T10:06:00Z')
  test('a day heading says the weekday', () => {
    expect(zh.dayHeading(tuesday)).toBe('11 月 17 日 周二')
    expect(en.dayHeading(tuesday)).toBe('Tue 17 Nov')
    expect(en.dayHeading(now)).toBe('Today')
  })

  test('hovering shows the second, in the zone of the brand', () => {
    expect(zh.exact(tuesday)).toBe('2026-11-17 18:06:00')
    expect(zh.clock(tuesday)).toBe('18:06')
    expect(zh.proseDate(tuesday)).toBe('11 月 17 日')
    expect(en.proseDate(tuesday)).toBe('17 Nov')
  })
})

test('Chinese and Latin stand a space apart', () => {
  expect(withSpaces('近90天买过iPhone的人')).toBe('近 90 天买过 iPhone 的人')
})
