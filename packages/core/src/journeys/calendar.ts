import { LegalHoliday, LunarDay, LunarMonth, SolarDay } from 'tyme4ts'

const WORK_WEEK = 5

/** Whether people in China work on that day: weekends, holidays and the Saturdays that make up for them. */
export function isWorkingDay(date: Temporal.PlainDate): boolean {
  const holiday = LegalHoliday.fromYmd(date.year, date.month, date.day)
  return holiday ? holiday.isWork() : date.dayOfWeek <= WORK_WEEK
}

/** What the law says of a day in China: a holiday, or a day worked instead; undefined for an ordinary one. */
export function legalHoliday(date: Temporal.PlainDate): { name: string; isWork: boolean } | undefined {
  const holiday = LegalHoliday.fromYmd(date.year, date.month, date.day)
  return holiday ? { name: holiday.getName(), isWork: holiday.isWork() } : undefined
}

interface WaitUntil {
  time: string
  until?: string | undefined
  weekdays?: number[] | undefined
  workingDays?: boolean | undefined
}

/** First moment at or after `from` when the wall shows that time, on one of the days allowed. */
export function nextTimeOfDay(
  { time, until, weekdays, workingDays }: WaitUntil,
  timeZone: string,
  from: number,
): number {
  let date = Temporal.Instant.fromEpochMilliseconds(from).toZonedDateTimeISO(timeZone).toPlainDate()
  const plainTime = Temporal.PlainTime.from(time)
  for (let tries = 0; tries < 400; tries++, date = date.add({ days: 1 })) {
    if (weekdays && !weekdays.includes(date.dayOfWeek)) continue
    if (workingDays && !isWorkingDay(date)) continue
    const moment = date.toZonedDateTime({ timeZone, plainTime }).epochMilliseconds
    if (moment >= from) return moment
    const close = until && date.toZonedDateTime({ timeZone, plainTime: Temporal.PlainTime.from(until) })
    if (close && from < close.epochMilliseconds) return from
  }
  // Days that never come, such as working Sundays only in a year without one.
  return date.toZonedDateTime({ timeZone, plainTime }).epochMilliseconds
}

/** `MM-DD` of those who celebrate on `date`; who was born on a leap day does so on the last of February. */
export function solarBirthdays(date: Temporal.PlainDate): string[] {
  const text = date.toString().slice(5)
  return text === '02-28' && !date.inLeapYear ? [text, '02-29'] : [text]
}

/** Years back that lunar birthdays are looked for. */
const OLDEST = 120

/**
 * `YYYY-MM-DD` on which those were born whose lunar birthday is `date`. Nobody celebrates twice in a year with a leap
 * month; born in one, the ordinary month of that number counts; born on a 30th, the 29th does where there is none.
 */
export function lunarBirthdays(date: Temporal.PlainDate): string[] {
  const lunar = SolarDay.fromYmd(date.year, date.month, date.day).getLunarDay()
  const month = lunar.getLunarMonth()
  if (month.isLeap()) return []
  const days = [lunar.getDay()]
  if (lunar.getDay() === 29 && month.getDayCount() === 29) days.push(30)
  const dates: string[] = []
  const number = month.getMonthWithLeap()
  for (let year = lunar.getYear() - OLDEST; year <= lunar.getYear(); year++) {
    for (const each of [number, -number]) {
      const count = dayCountOf(year, each)
      for (const day of days) if (count !== undefined && day <= count) dates.push(toText(year, each, day))
    }
  }
  return dates
}

/** Length of a lunar month; undefined for a leap month that the year does not have. */
function dayCountOf(year: number, month: number): number | undefined {
  try {
    return LunarMonth.fromYm(year, month).getDayCount()
  } catch {
    return undefined
  }
}

function toText(year: number, month: number, day: number): string {
  const solar = LunarDay.fromYmd(year, month, day).getSolarDay()
  return new Temporal.PlainDate(solar.getYear(), solar.getMonth(), solar.getDay()).toString()
}

/** Day and month of festivals: lunar, solar, or the nth weekday of a month. */
const FESTIVALS: Record<
  string,
  { lunar: [number, number] } | { solar: [number, number] } | { nth: [number, number, number] }
> = {
  new_year: { solar: [1, 1] },
  spring_festival: { lunar: [1, 1] },
  lantern: { lunar: [1, 15] },
  valentine: { solar: [2, 14] },
  womens_day: { solar: [3, 8] },
  labour_day: { solar: [5, 1] },
  mothers_day: { nth: [5, 7, 2] },
  love_day_520: { solar: [5, 20] },
  childrens_day: { solar: [6, 1] },
  dragon_boat: { lunar: [5, 5] },
  shopping_618: { solar: [6, 18] },
  fathers_day: { nth: [6, 7, 3] },
  qixi: { lunar: [7, 7] },
  teachers_day: { solar: [9, 10] },
  mid_autumn: { lunar: [8, 15] },
  national_day: { solar: [10, 1] },
  double_ninth: { lunar: [9, 9] },
  double_eleven: { solar: [11, 11] },
  laba: { lunar: [12, 8] },
  double_twelve: { solar: [12, 12] },
  christmas: { solar: [12, 25] },
}

export const FESTIVAL_NAMES = Object.keys(FESTIVALS)

export function isFestival(name: string): boolean {
  return Object.hasOwn(FESTIVALS, name)
}

/** The next day of a festival on or after `from`. */
export function nextFestival(name: string, from: Temporal.PlainDate): Temporal.PlainDate {
  for (let year = from.year - 1; year <= from.year + 2; year++) {
    const date = festivalIn(name, year)
    if (Temporal.PlainDate.compare(date, from) >= 0) return date
  }
  throw new Error(`Festival "${name}" does not come`)
}

function festivalIn(name: string, year: number): Temporal.PlainDate {
  const rule = FESTIVALS[name]
  if (!rule) throw new Error(`There is no festival "${name}"`)
  if ('solar' in rule) return new Temporal.PlainDate(year, rule.solar[0], rule.solar[1])
  if ('lunar' in rule) return Temporal.PlainDate.from(toText(year, rule.lunar[0], rule.lunar[1]))
  const [month, weekday, nth] = rule.nth
  const first = new Temporal.PlainDate(year, month, 1)
  return first.add({ days: ((weekday - first.dayOfWeek + 7) % 7) + 7 * (nth - 1) })
}
