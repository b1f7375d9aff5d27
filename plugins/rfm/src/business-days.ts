const dayMs = 86_400_000

/**
 * The business day of each time in `timeZone`, as days since 1970-01-01. Times without a value stay `NaN`.
 * A million times take a few tens of milliseconds: the zone's offset is looked up once a day, not once a time.
 */
export function toBusinessDays(times: Float64Array, timeZone: string): Float64Array {
  const offsets = new Map<number, number | undefined>()
  return times.map((time) => {
    if (Number.isNaN(time)) return Number.NaN
    const day = Math.floor(time / dayMs)
    let offset = offsets.get(day)
    if (offset === undefined && !offsets.has(day)) {
      const start = offsetAt(day * dayMs, timeZone)
      offset = start === offsetAt((day + 1) * dayMs, timeZone) ? start : undefined
      offsets.set(day, offset)
    }
    return Math.floor((time + (offset ?? offsetAt(time, timeZone))) / dayMs)
  })
}

/** The business day of one time, as days since 1970-01-01. */
export function toBusinessDay(time: number, timeZone: string): number {
  return Math.floor((time + offsetAt(time, timeZone)) / dayMs)
}

/** When a business day starts, as epoch milliseconds. */
export function startOfDay(day: number, timeZone: string): number {
  return toPlainDate(day).toZonedDateTime(timeZone).epochMilliseconds
}

export function toPlainDate(day: number): Temporal.PlainDate {
  return new Temporal.PlainDate(1970, 1, 1).add({ days: day })
}

/** Days since 1970-01-01 of a date written `2026-03-01`. */
export function parseDay(text: string): number {
  return new Temporal.PlainDate(1970, 1, 1).until(Temporal.PlainDate.from(text)).days
}

function offsetAt(time: number, timeZone: string): number {
  return Temporal.Instant.fromEpochMilliseconds(time).toZonedDateTimeISO(timeZone).offsetNanoseconds / 1e6
}
