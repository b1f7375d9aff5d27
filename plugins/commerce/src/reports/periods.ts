import { userError } from '@huitou/plugin-api'

export type Step = 'day' | 'week' | 'month'

/** Business days from `first` to `last`, both included, and the times that bound them in the brand's time zone. */
export interface Period {
  first: Temporal.PlainDate
  last: Temporal.PlainDate
  from: number
  before: number
}

/** The period that the parameters ask for; the last `days` business days when they name none. */
export function readPeriod(
  parameters: Record<string, unknown>,
  { now, timeZone, days }: { now: number; timeZone: string; days: number },
): Period {
  const today = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(timeZone).toPlainDate()
  const last = readDay(parameters.to) ?? today
  const first = readDay(parameters.from) ?? last.subtract({ days: days - 1 })
  if (Temporal.PlainDate.compare(first, last) > 0) {
    throw userError('E_REPORT_PERIOD', `The period from ${first} to ${last} is empty`, {
      hint: 'Choose a first day before the last one.',
    })
  }
  return toPeriod(first, last, timeZone)
}

/** The period of equal length that ends the day before. */
export function periodBefore({ first, last }: Period, timeZone: string): Period {
  const days = first.until(last).days + 1
  return toPeriod(first.subtract({ days }), first.subtract({ days: 1 }), timeZone)
}

export function toPeriod(first: Temporal.PlainDate, last: Temporal.PlainDate, timeZone: string): Period {
  return {
    first,
    last,
    from: first.toZonedDateTime(timeZone).epochMilliseconds,
    before: last.add({ days: 1 }).toZonedDateTime(timeZone).epochMilliseconds,
  }
}

/** First days of the weeks (from Monday), months or days that the period touches. */
export function stepsOf({ first, last }: Period, step: Step): string[] {
  const steps: string[] = []
  let day = startOf(first, step)
  while (Temporal.PlainDate.compare(day, last) <= 0) {
    steps.push(day.toString())
    day = day.add(step === 'day' ? { days: 1 } : step === 'week' ? { days: 7 } : { months: 1 })
  }
  return steps
}

function startOf(day: Temporal.PlainDate, step: Step): Temporal.PlainDate {
  if (step === 'month') return day.with({ day: 1 })
  return step === 'week' ? day.subtract({ days: day.dayOfWeek - 1 }) : day
}

function readDay(value: unknown): Temporal.PlainDate | undefined {
  if (value === undefined || value === null || value === '') return undefined
  try {
    return Temporal.PlainDate.from(String(value).slice(0, 10))
  } catch (cause) {
    throw userError('E_REPORT_DAY', `"${String(value)}" is not a day`, {
      hint: 'Write days as 2026-01-31.',
      cause,
    })
  }
}
