import { findSum, type Random } from './random.ts'

const DAY_MS = 86_400_000
/** The demo shop keeps the clock of Shanghai, which has no summer time. */
const OFFSET_MS = 8 * 3_600_000
const YEARS = 2
const PAST_DAYS = 365 * YEARS + 1

/** Campaigns by month and day, `MM-DD`: how many times an ordinary day's demand. */
const CAMPAIGNS: [from: string, to: string, factor: number][] = [
  ['03-05', '03-08', 1.9],
  ['05-19', '05-20', 1.7],
  ['05-31', '06-03', 2.1],
  ['06-16', '06-18', 5],
  ['09-06', '09-09', 1.6],
  ['10-20', '10-30', 1.5],
  ['10-31', '11-03', 9],
  ['11-04', '11-09', 2],
  ['11-10', '11-10', 12],
  ['11-11', '11-11', 30],
  ['11-12', '11-13', 1.4],
  ['12-10', '12-12', 2],
]

/** Share of an ordinary day's orders in each hour: lunch break, and late in the evening on the sofa. */
const HOURS = [14, 6, 3, 2, 1, 2, 6, 16, 28, 44, 55, 50, 52, 48, 44, 42, 40, 40, 42, 50, 66, 78, 72, 40]
/** Demand from which on a day is a campaign's. */
const BUSY = 1.8
/** On the big nights people stay up for midnight. */
const NIGHT_HOURS = [
  150, 60, 20, 6, 3, 3, 8, 18, 30, 44, 55, 50, 46, 42, 40, 38, 36, 36, 40, 50, 62, 72, 80, 70,
]

/** Two years of trading days up to a day and some after it: how much is bought on each, and when. */
export class ShopCalendar {
  readonly days: number
  /** First instant of day 0. */
  readonly start: number
  /** Last instant of the last day. */
  readonly end: number
  readonly #dates: string[] = []
  /** Demand up to and including each day. */
  readonly #sums: Float64Array
  readonly #demand: Float64Array

  /** `today` lies in the last day but `more`. */
  constructor(today: number, more = 0) {
    this.days = PAST_DAYS + more
    this.#sums = new Float64Array(this.days)
    this.#demand = new Float64Array(this.days)
    const first = Math.floor((today + OFFSET_MS) / DAY_MS) - PAST_DAYS + 1
    this.start = first * DAY_MS - OFFSET_MS
    this.end = this.start + this.days * DAY_MS - 1
    const newYears = springFestivals(first)
    let sum = 0
    for (let day = 0; day < this.days; day++) {
      const date = new Date((first + day) * DAY_MS)
      this.#dates.push(date.toISOString().slice(0, 10))
      const demand = demandOf(date, first + day, newYears)
      this.#demand[day] = demand
      this.#sums[day] = sum += demand
    }
  }

  /** `YYYY-MM-DD` of a day. */
  dateOf(day: number): string {
    return this.#dates[day] as string
  }

  /** A day between two, busier days being likelier. */
  pickDay(random: Random, from: number, to: number): number {
    const low = Math.max(0, from)
    const high = Math.min(this.days - 1, to)
    if (low >= high) return low
    const before = low === 0 ? 0 : (this.#sums[low - 1] as number)
    return findSum(this.#sums, before + random.next() * ((this.#sums[high] as number) - before), low, high)
  }

  /** The day on which `share` (0 to 1) of all who ever become customers have done so; the shop grows steadily. */
  acquisitionDay(share: number): number {
    this.#acquired ??= this.#acquisition()
    return findSum(this.#acquired, share * (this.#acquired.at(-1) as number))
  }

  #acquired: Float64Array | undefined

  #acquisition(): Float64Array {
    let sum = 0
    return this.#demand.map((demand, day) => (sum += demand ** 0.9 * (0.6 + (0.8 * day) / this.days)))
  }

  /** An instant on a day at an hour when people buy. */
  pickTime(random: Random, day: number): number {
    const hours = (this.#demand[day] as number) >= BUSY ? NIGHT_SUMS : HOUR_SUMS
    const hour = findSum(hours, random.next() * (hours.at(-1) as number))
    return this.start + day * DAY_MS + Math.floor((hour + random.next()) * 3_600_000)
  }

  /** Whether a day belongs to one of the year's large campaigns. */
  isCampaign(day: number): boolean {
    return (this.#demand[day] as number) >= BUSY
  }

  /** Day of an instant. */
  dayOf(time: number): number {
    return Math.floor((time - this.start) / DAY_MS)
  }
}

const HOUR_SUMS = sumsOf(HOURS)
const NIGHT_SUMS = sumsOf(NIGHT_HOURS)

function sumsOf(weights: number[]): Float64Array {
  let sum = 0
  return Float64Array.from(weights, (weight) => (sum += weight))
}

function demandOf(date: Date, day: number, newYears: number[]): number {
  const monthDay = date.toISOString().slice(5, 10)
  let demand = [1.1, 0.95, 0.95, 0.97, 1, 1.02, 1.12][date.getUTCDay()] as number
  for (const [from, to, factor] of CAMPAIGNS) if (monthDay >= from && monthDay <= to) demand *= factor
  // Members' day.
  if (date.getUTCDate() === 8) demand *= 1.25
  for (const newYear of newYears) {
    const until = newYear - day
    // Gifts are bought while parcels still arrive; then everybody is on the road.
    if (until >= 12 && until <= 28) demand *= 1.6
    else if (until >= -7 && until <= 5) demand *= 0.35
  }
  return demand
}

/** First days of the lunar years that may fall into the shop's two years, as days since 1970-01-01. */
function springFestivals(firstDay: number): number[] {
  const year = new Date(firstDay * DAY_MS).getUTCFullYear()
  return [0, 1, 2, 3].map((more) => {
    const date = Temporal.PlainDate.from({ calendar: 'chinese', year: year + more, monthCode: 'M01', day: 1 })
    return Math.floor(Date.parse(date.withCalendar('iso8601').toString()) / DAY_MS)
  })
}
