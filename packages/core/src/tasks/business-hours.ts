import { z } from 'zod'
import { legalHoliday } from '../journeys/calendar.ts'

const from = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day such as 09:00')
const to = z.string().regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, 'a time of day such as 18:00, at most 24:00')

const ranges = z
  .array(z.strictObject({ from, to }))
  .max(8)
  .refine((all) => all.every((range) => range.from < range.to), 'from before to')
  .refine(
    (all) => all.every((range, index) => index === 0 || (all[index - 1]?.to ?? '') <= range.from),
    'one after the other, without overlap',
  )

/** When people work. */
export const businessHoursSchema = z.strictObject({
  /** Monday first. A day without hours is a day off; who works past midnight goes on at 00:00 of the next day. */
  week: z
    .array(ranges)
    .length(7)
    .refine((week) => week.some((day) => day.length > 0), 'at least one day with hours'),
  /** Whether the public holidays of China are days off, and the weekends that make up for them are not. */
  holidays: z.boolean().default(true),
  /** Days with hours of their own; they count before everything else. */
  days: z
    .array(z.strictObject({ date: z.iso.date(), ranges, note: z.string().trim().max(100).default('') }))
    .max(400)
    .refine((days) => new Set(days.map(({ date }) => date)).size === days.length, 'each day once')
    .default([]),
})

export type BusinessHours = z.infer<typeof businessHoursSchema>
type Ranges = BusinessHours['week'][number]

const WORKDAY: Ranges = [{ from: '09:00', to: '18:00' }]

export const DEFAULT_HOURS: BusinessHours = {
  week: [WORKDAY, WORKDAY, WORKDAY, WORKDAY, WORKDAY, [], []],
  holidays: true,
  days: [],
}

const DAY = 86_400_000
/** Days that are looked ahead for hours; whoever never works again has tasks due then. */
const HORIZON = 20_000
const KEPT = 20_000

/**
 * A clock that runs while people work. All times are epoch milliseconds; hours are times on the wall of `timeZone`, so
 * a day on which the clocks change is as long as it really is.
 */
export class BusinessClock {
  readonly #hours: BusinessHours
  readonly #timeZone: string
  readonly #own: ReadonlyMap<string, Ranges>
  readonly #days = new Map<number, readonly (readonly [number, number])[]>()

  constructor(hours: BusinessHours, timeZone: string) {
    this.#hours = hours
    this.#timeZone = timeZone
    this.#own = new Map(hours.days.map((day) => [day.date, day.ranges]))
  }

  /** The first moment by which `length` of business time has passed since `from`; `from` itself for nothing. */
  add(from: number, length: number): number {
    if (length <= 0) return from
    let left = length
    const first = this.#dayOf(from)
    for (let day = first; day < first + HORIZON; day++) {
      for (const [start, end] of this.#spans(day)) {
        const begin = Math.max(start, from)
        if (begin >= end) continue
        if (left <= end - begin) return begin + left
        left -= end - begin
      }
    }
    return from + HORIZON * DAY
  }

  /** Business time from `a` to `b`; negative when `b` comes first. */
  between(a: number, b: number): number {
    if (b < a) return -this.between(b, a)
    let sum = 0
    for (let day = this.#dayOf(a), last = this.#dayOf(b); day <= last; day++) {
      for (const [start, end] of this.#spans(day)) sum += Math.max(0, Math.min(end, b) - Math.max(start, a))
    }
    return sum
  }

  /** Whether the clock runs at that moment, and when that changes next; undefined when it does not. */
  at(moment: number): { open: boolean; changesAt: number | undefined } {
    const first = this.#dayOf(moment)
    let until: number | undefined
    for (let day = first; day < first + 366; day++) {
      for (const [start, end] of this.#spans(day)) {
        if (end <= moment) continue
        // Hours that go on at midnight are one stretch.
        if (until === undefined ? start > moment : start > until)
          return { open: until !== undefined, changesAt: until ?? start }
        until = end
      }
    }
    return { open: until !== undefined, changesAt: until }
  }

  #dayOf(moment: number): number {
    const date = Temporal.Instant.fromEpochMilliseconds(moment).toZonedDateTimeISO(this.#timeZone)
    return EPOCH.until(date.toPlainDate(), { largestUnit: 'days' }).days
  }

  /** Stretches of a day, one after the other, as moments. */
  #spans(day: number): readonly (readonly [number, number])[] {
    let spans = this.#days.get(day)
    if (!spans) {
      const date = EPOCH.add({ days: day })
      spans = this.#rangesOf(date)
        .map((range) => [this.#moment(date, range.from), this.#moment(date, range.to)] as const)
        .filter(([start, end]) => start < end)
      if (this.#days.size > KEPT) this.#days.clear()
      this.#days.set(day, spans)
    }
    return spans
  }

  #rangesOf(date: Temporal.PlainDate): Ranges {
    const own = this.#own.get(date.toString())
    if (own) return own
    const { week, holidays } = this.#hours
    const usual = week[date.dayOfWeek - 1] ?? []
    const holiday = holidays ? legalHoliday(date) : undefined
    if (!holiday) return usual
    if (!holiday.isWork) return []
    if (usual.length > 0) return usual
    // A Saturday that makes up for a holiday has the hours of the working day before it.
    for (let back = 1; back < 7; back++) {
      const before = week[(date.dayOfWeek - 1 - back + 7) % 7]
      if (before && before.length > 0) return before
    }
    return []
  }

  /** A time that a change of the clocks leaves out is the moment of the change. */
  #moment(date: Temporal.PlainDate, time: string): number {
    if (time === '24:00') return this.#moment(date.add({ days: 1 }), '00:00')
    const wall = date.toPlainDateTime(Temporal.PlainTime.from(time))
    const moment = wall.toZonedDateTime(this.#timeZone)
    if (moment.toPlainDateTime().equals(wall)) return moment.epochMilliseconds
    // The one before a moment is never the moment itself.
    const after = moment.add({ nanoseconds: 1 })
    return (after.getTimeZoneTransition('previous') ?? moment).epochMilliseconds
  }
}

const EPOCH = Temporal.PlainDate.from('1970-01-01')
