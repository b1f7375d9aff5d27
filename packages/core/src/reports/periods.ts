import type { BusinessDays } from '../days.ts'

/** A business day, week or month as the instants that bound it. */
export interface Period {
  /** First business day, `YYYY-MM-DD`, also where the range begins later. */
  first: string
  from: number
  before: number
}

/** Periods that `from` to `before` touches, in order; the outer ones are cut to the range. */
export function periodsBetween(
  { from, before, by }: { from: number; before: number; by: 'day' | 'week' | 'month' },
  days: BusinessDays,
): Period[] {
  const periods: Period[] = []
  for (let day = firstDayOf(days.dayOf(from), by, days); ;) {
    const next = nextDay(day, by, days)
    const start = days.startOf(day)
    if (start >= before) return periods
    periods.push({
      first: days.textOf(day),
      from: Math.max(start, from),
      before: Math.min(days.startOf(next), before),
    })
    day = next
  }
}

function firstDayOf(day: number, by: 'day' | 'week' | 'month', days: BusinessDays): number {
  if (by === 'day') return day
  const date = days.dateOf(day)
  return by === 'week' ? day - date.dayOfWeek + 1 : day - date.day + 1
}

function nextDay(day: number, by: 'day' | 'week' | 'month', days: BusinessDays): number {
  if (by === 'day') return day + 1
  return by === 'week' ? day + 7 : day + days.dateOf(day).daysInMonth
}
