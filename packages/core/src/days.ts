/**
 * Business days of the brand's time zone as whole numbers: days since 1970-01-01 in that zone. Offsets are
 * looked up once per UTC hour and kept, since a `Temporal` object for every event would be too dear.
 */
export class BusinessDays {
  readonly timeZone: string
  readonly #offsets = new Map<number, number>()
  readonly #starts = new Map<number, number>()

  constructor(timeZone: string) {
    this.timeZone = timeZone
  }

  /** Day number of an instant. */
  dayOf(time: number): number {
    return Math.floor((time + this.#offsetAt(time)) / 86_400_000)
  }

  /** First instant of a day. */
  startOf(day: number): number {
    let start = this.#starts.get(day)
    if (start === undefined) {
      start = this.dateOf(day).toZonedDateTime(this.timeZone).epochMilliseconds
      if (this.#starts.size > 10_000) this.#starts.clear()
      this.#starts.set(day, start)
    }
    return start
  }

  /** `YYYY-MM-DD` of a day. */
  textOf(day: number): string {
    return this.dateOf(day).toString()
  }

  dateOf(day: number): Temporal.PlainDate {
    return EPOCH_DAY.add({ days: day })
  }

  /** Day number of a `YYYY-MM-DD`. */
  parse(text: string): number {
    return EPOCH_DAY.until(Temporal.PlainDate.from(text), { largestUnit: 'days' }).days
  }

  #offsetAt(time: number): number {
    const hour = Math.floor(time / 3_600_000)
    let offset = this.#offsets.get(hour)
    if (offset === undefined) {
      const instant = Temporal.Instant.fromEpochMilliseconds(hour * 3_600_000)
      offset = instant.toZonedDateTimeISO(this.timeZone).offsetNanoseconds / 1_000_000
      if (this.#offsets.size > 200_000) this.#offsets.clear()
      this.#offsets.set(hour, offset)
    }
    return offset
  }
}

const known = new Map<string, BusinessDays>()

/** Business days of a zone, with all that was looked up before. */
export function businessDaysIn(timeZone: string): BusinessDays {
  let days = known.get(timeZone)
  if (!days) known.set(timeZone, (days = new BusinessDays(timeZone)))
  return days
}

const EPOCH_DAY = Temporal.PlainDate.from('1970-01-01')
