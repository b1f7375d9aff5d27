import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BusinessClock, type BusinessHours, businessHoursSchema, DEFAULT_HOURS } from './business-hours.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const at = (text: string) => Date.parse(text)
const shanghai = new BusinessClock(DEFAULT_HOURS, 'Asia/Shanghai')
const week = (from: string, to: string) => Array.from({ length: 7 }, () => [{ from, to }])

/** Hours, zones and moments of every sort: changes of the clocks, holidays, days that a zone left out. */
const ranges = fc
  .uniqueArray(fc.integer({ min: 0, max: 96 }), { minLength: 0, maxLength: 6 })
  .map((quarters) => {
    const sorted = quarters.toSorted((a, b) => a - b)
    const text = (quarter: number) =>
      `${String(Math.floor(quarter / 4)).padStart(2, '0')}:${String((quarter % 4) * 15).padStart(2, '0')}`
    return Array.from({ length: Math.floor(sorted.length / 2) }, (_, index) => ({
      from: text(sorted[2 * index] as number),
      to: text(sorted[2 * index + 1] as number),
    }))
  })
const hours = fc
  .record({
    week: fc
      .array(ranges, { minLength: 7, maxLength: 7 })
      .filter((days) => days.some((day) => day.length > 0)),
    holidays: fc.boolean(),
    days: fc.uniqueArray(
      fc.record({
        date: fc
          .integer({ min: 20_700, max: 20_800 })
          .map((day) => new Date(day * 86_400_000).toISOString().slice(0, 10)),
        ranges,
        note: fc.constant(''),
      }),
      { maxLength: 4, selector: ({ date }) => date },
    ),
  })
  .map((value): BusinessHours => businessHoursSchema.parse(value))
const zone = fc.constantFrom(
  'Asia/Shanghai',
  'Europe/Berlin',
  'America/St_Johns',
  'Australia/Lord_Howe',
  'Pacific/Apia',
)
const clock = fc.tuple(hours, zone).map(([given, timeZone]) => new BusinessClock(given, timeZone))
/** Around the clock changes of 2026 and the week in which Samoa had no Friday. */
const moment = fc.oneof(
  fc.integer({ min: at('2026-03-20T00:00Z'), max: at('2026-04-10T00:00Z') }),
  fc.integer({ min: at('2026-09-20T00:00Z'), max: at('2026-11-05T00:00Z') }),
  fc.integer({ min: at('2011-12-26T00:00Z'), max: at('2012-01-03T00:00Z') }),
)
const length = fc.integer({ min: 1, max: 60 * HOUR })

test('business time added is the business time that then has passed', () => {
  fc.assert(
    fc.property(clock, moment, length, (own, from, time) => {
      const end = own.add(from, time)
      expect(end).toBeGreaterThan(from)
      expect(own.between(from, end)).toBe(time)
      // And at no moment before.
      expect(own.between(from, end - 1)).toBe(time - 1)
    }),
    { numRuns: 300 },
  )
})

test('it adds up, and goes forward only', () => {
  fc.assert(
    fc.property(clock, moment, length, length, (own, from, first, second) => {
      expect(own.add(own.add(from, first), second)).toBe(own.add(from, first + second))
      expect(own.add(from, first + second)).toBeGreaterThan(own.add(from, first))
      expect(own.add(from + second, first)).toBeGreaterThanOrEqual(own.add(from, first))
      expect(own.between(from, from + first) + own.between(from + first, from + first + second)).toBe(
        own.between(from, from + first + second),
      )
    }),
    { numRuns: 300 },
  )
})

test('a clock that stands for a while is due later by the business time it stood', () => {
  fc.assert(
    fc.property(clock, moment, fc.tuple(length, length, length), (own, from, [total, worked, pause]) => {
      fc.pre(worked < total)
      const stopped = own.add(from, worked)
      const goesOn = stopped + pause
      const due = own.add(goesOn, total - worked)
      expect(own.between(from, stopped) + own.between(goesOn, due)).toBe(total)
      expect(own.between(from, due)).toBe(total + own.between(stopped, goesOn))
    }),
    { numRuns: 300 },
  )
})

test('whether it runs, and until when, agrees with what passes', () => {
  fc.assert(
    fc.property(clock, moment, (own, from) => {
      const { open, changesAt } = own.at(from)
      if (changesAt === undefined) return
      const passed = own.between(from, changesAt)
      expect(passed).toBe(open ? changesAt - from : 0)
      expect(own.at(changesAt).open).toBe(!open)
    }),
    { numRuns: 300 },
  )
})

test.each([
  ['within the day', '2026-11-23T10:00+08:00', 3 * MINUTE, '2026-11-23T10:03+08:00'],
  ['before it begins', '2026-11-23T07:15+08:00', 3 * MINUTE, '2026-11-23T09:03+08:00'],
  ['up to the last minute', '2026-11-23T17:57+08:00', 3 * MINUTE, '2026-11-23T18:00+08:00'],
  ['over the night', '2026-11-23T17:58+08:00', 3 * MINUTE, '2026-11-24T09:01+08:00'],
  ['over the weekend', '2026-11-20T17:58+08:00', 3 * MINUTE, '2026-11-23T09:01+08:00'],
  ['over Spring Festival', '2026-02-14T17:30+08:00', HOUR, '2026-02-24T09:30+08:00'],
  ['on the Saturday worked instead', '2026-02-14T12:00+08:00', HOUR, '2026-02-14T13:00+08:00'],
])('a task is due %s', (_, from, time, due) => {
  expect(new Date(shanghai.add(at(from), time))).toEqual(new Date(due))
})

test('own days come before holidays, and holidays can be switched off', () => {
  const open = new BusinessClock(
    { ...DEFAULT_HOURS, days: [{ date: '2026-02-16', ranges: [{ from: '10:00', to: '12:00' }], note: '' }] },
    'Asia/Shanghai',
  )
  expect(new Date(open.add(at('2026-02-14T17:30+08:00'), HOUR))).toEqual(new Date('2026-02-16T10:30+08:00'))
  const ordinary = new BusinessClock({ ...DEFAULT_HOURS, holidays: false }, 'Asia/Shanghai')
  expect(new Date(ordinary.add(at('2026-02-14T12:00+08:00'), HOUR))).toEqual(
    new Date('2026-02-16T10:00+08:00'),
  )
})

test('a day on which the clocks change is as long as it is', () => {
  const night = new BusinessClock(
    { week: week('00:00', '06:00'), holidays: false, days: [] },
    'Europe/Berlin',
  )
  expect(night.between(at('2026-03-29T00:00+01:00'), at('2026-03-29T12:00+02:00'))).toBe(5 * HOUR)
  expect(night.between(at('2026-10-25T00:00+02:00'), at('2026-10-25T12:00+01:00'))).toBe(7 * HOUR)
  const gap = new BusinessClock({ week: week('02:15', '02:45'), holidays: false, days: [] }, 'Europe/Berlin')
  expect(gap.between(at('2026-03-29T00:00+01:00'), at('2026-03-29T12:00+02:00'))).toBe(0)
  const begins = new BusinessClock(
    { week: week('02:00', '03:30'), holidays: false, days: [] },
    'Europe/Berlin',
  )
  expect(begins.between(at('2026-03-29T00:00+01:00'), at('2026-03-29T12:00+02:00'))).toBe(HOUR / 2)
})

test.each([
  [{ ...DEFAULT_HOURS, week: week('18:00', '09:00') }],
  [{ ...DEFAULT_HOURS, week: Array.from({ length: 7 }, () => []) }],
  [
    {
      ...DEFAULT_HOURS,
      week: week('09:00', '18:00').map((day) => [...day, { from: '17:00', to: '19:00' }]),
    },
  ],
  [{ ...DEFAULT_HOURS, days: [{ date: '2026-02-30', ranges: [] }] }],
])('hours that make no sense are refused', (wrong) => {
  expect(businessHoursSchema.safeParse(wrong).success).toBe(false)
})
