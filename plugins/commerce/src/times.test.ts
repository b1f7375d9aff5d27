import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dateOrderOf, timeReader } from './times.ts'

const shanghai = timeReader('Asia/Shanghai')
const iso = (time: number | undefined) => (time === undefined ? undefined : new Date(time).toISOString())

test.each([
  ['2024-01-31 08:05:09', '2024-01-31T00:05:09.000Z'],
  ['2024-01-31 08:05', '2024-01-31T00:05:00.000Z'],
  ['2024/1/31 8:05', '2024-01-31T00:05:00.000Z'],
  ['2024.1.31', '2024-01-30T16:00:00.000Z'],
  ['20240131', '2024-01-30T16:00:00.000Z'],
  ['20240131080509', '2024-01-31T00:05:09.000Z'],
  ['2024年1月31日 8时5分9秒', '2024-01-31T00:05:09.000Z'],
  ['2024年1月31日', '2024-01-30T16:00:00.000Z'],
  ['2024-01-31T08:05:09Z', '2024-01-31T08:05:09.000Z'],
  ['2024-01-31T08:05:09.123+02:00', '2024-01-31T06:05:09.123Z'],
  ['2024-01-31 08:05:09 -0500', '2024-01-31T13:05:09.000Z'],
  ['1/31/2024 8:05 PM', '2024-01-31T12:05:00.000Z'],
  ['12/1/10 8:26', '2010-12-01T00:26:00.000Z'],
  ['1706688309', '2024-01-31T08:05:09.000Z'],
  ['1706688309123', '2024-01-31T08:05:09.123Z'],
  ['45322', '2024-01-30T16:00:00.000Z'],
  ['45322.5', '2024-01-31T04:00:00.000Z'],
  ['\t2024-01-31 08:05:09', '2024-01-31T00:05:09.000Z'],
  ['２０２４－０１－３１　０８：０５：０９', '2024-01-31T00:05:09.000Z'],
])('%j in Shanghai is %s', (cell, expected) => {
  expect(iso(shanghai(cell))).toBe(expected)
})

test.each([
  '',
  '-',
  '2024-02-30',
  '2024-13-01',
  '31/1/2024',
  '2024-01-31 25:00',
  'yesterday',
  '123',
  '99999999',
  undefined,
])('%j is no time', (cell) => {
  expect(shanghai(cell)).toBeUndefined()
})

test('day and month follow the order that the mapping names', () => {
  expect(iso(timeReader('UTC', 'dmy')('3/4/2024'))).toBe('2024-04-03T00:00:00.000Z')
  expect(iso(timeReader('UTC', 'mdy')('3/4/2024'))).toBe('2024-03-04T00:00:00.000Z')
})

test('the order of day and month shows in a column as soon as one number exceeds twelve', () => {
  expect(dateOrderOf(['3/4/2024', '13/4/2024'])).toBe('dmy')
  expect(dateOrderOf(['3/4/2024', '4/13/2024'])).toBe('mdy')
  expect(dateOrderOf(['3/4/2024', '5/6/2024'])).toBeUndefined()
  expect(dateOrderOf(['13/4/2024', '4/13/2024'])).toBe('conflict')
})

test('wall-clock times follow the zone through summer time, on the days of change too', () => {
  const minute = fc.integer({ min: Date.UTC(2015, 0, 1) / 60_000, max: Date.UTC(2027, 0, 1) / 60_000 })
  const zone = fc.constantFrom(
    'America/New_York',
    'America/Sao_Paulo',
    'Europe/London',
    'Australia/Lord_Howe',
    'Asia/Shanghai',
  )
  const changes = fc
    .constantFrom('2024-03-10T06:59', '2024-11-03T05:30', '2018-11-04T03:00', '2024-03-31T01:00')
    .map((text) => Date.parse(`${text}Z`) / 60_000)
  fc.assert(
    fc.property(fc.oneof(minute, changes), zone, (at, timeZone) => {
      const wall = Temporal.Instant.fromEpochMilliseconds(at * 60_000)
        .toZonedDateTimeISO(timeZone)
        .toPlainDateTime()
      const expected = wall.toZonedDateTime(timeZone).epochMilliseconds
      expect(timeReader(timeZone)(wall.toString().replace('T', ' '))).toBe(expected)
    }),
    { numRuns: 400 },
  )
})
