import { expect, test } from 'vitest'
import { formatMoney } from './money.ts'
import { formatBytes, formatNumber, formatPercent } from './number.ts'
import { formatAgo, formatDateTime, formatDay, formatDuration, spaceChinese } from './time.ts'

const zh = { locale: 'zh-CN' }
const shanghai = { locale: 'zh-CN', timeZone: 'Asia/Shanghai' }
const at = (text: string) => Date.parse(text)

test.each([
  { minor: 128_650, text: '¥1,286.50' },
  { minor: 59_700, text: '¥597' },
  { minor: -8800, text: '−¥88' },
  { minor: null, text: '–' },
])('$minor fen are $text', ({ minor, text }) => {
  expect(formatMoney(minor, { ...zh, currency: 'CNY' })).toBe(text)
})

test('a currency without minor units keeps its integers', () => {
  expect(formatMoney(1200, { locale: 'en', currency: 'JPY' })).toBe('¥1,200')
})

test('large sums are short, with a space before the Chinese unit', () => {
  expect(formatMoney(611_500_000, { ...zh, currency: 'CNY', compact: true })).toBe('¥611.5 万')
  expect(formatNumber(61_150, { ...zh, compact: true })).toBe('6.1 万')
  expect(formatNumber(61_150, { locale: 'en', compact: true })).toBe('61.2K')
})

test('signs are true signs', () => {
  expect(formatNumber(-12, { ...zh, signed: true })).toBe('−12')
  expect(formatPercent(0.031, { ...zh, signed: true })).toBe('+3.1%')
})

test('bytes', () => {
  expect([0, 999, 18_600_000, 3_200_000_000].map((bytes) => formatBytes(bytes, 'en'))).toEqual([
    '0 B',
    '999 B',
    '18.6 MB',
    '3.2 GB',
  ])
})

test('times stand in the brand’s zone, whatever the machine thinks', () => {
  expect(formatDateTime(at('2026-11-19T16:30:00Z'), shanghai)).toBe('2026-11-20 00:30')
})

test('a day in prose has spaces in Chinese and its year only when it is another', () => {
  const now = at('2026-11-21T00:00:00Z')
  expect(formatDay(at('2026-11-20T04:00:00Z'), shanghai, now)).toBe('11 月 20 日')
  expect(formatDay(at('2025-11-20T04:00:00Z'), shanghai, now)).toBe('2025 年 11 月 20 日')
  expect(formatDay(at('2026-11-20T04:00:00Z'), { ...shanghai, locale: 'en-GB' }, now)).toBe('20 Nov')
})

test('yesterday begins at midnight in the brand’s zone', () => {
  const now = at('2026-11-21T02:00:00Z')
  expect(formatAgo(at('2026-11-20T15:00:00Z'), shanghai, now)).toBe('昨天')
  expect(formatAgo(at('2026-11-12T04:00:00Z'), shanghai, now)).toBe('9 天前')
})

test.each([
  { ms: 84, zh: '84 毫秒', en: '84 ms' },
  { ms: 90_000, zh: '1 分 30 秒', en: '1 min 30 s' },
  { ms: 7_500_000, zh: '2 小时 5 分', en: '2 h 5 min' },
])('$ms ms', ({ ms, zh: chinese, en }) => {
  expect(formatDuration(ms, 'zh-CN')).toBe(chinese)
  expect(formatDuration(ms, 'en')).toBe(en)
})

test('Chinese and Latin stand apart', () => {
  expect(spaceChinese('3分钟前用RFM算完')).toBe('3 分钟前用 RFM 算完')
})
