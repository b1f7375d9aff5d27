import { addDays } from './filter-model.ts'

export type CalendarSpan = 'month' | 'week'

/** Days that a calendar shows around `date`, whole weeks from Monday: first and last, `YYYY-MM-DD`. */
export function daysAround(date: string, span: CalendarSpan): string[] {
  const first = span === 'week' ? mondayOf(date) : mondayOf(`${date.slice(0, 8)}01`)
  const last = span === 'week' ? addDays(first, 6) : addDays(mondayOf(lastOfMonth(date)), 6)
  const days: string[] = []
  for (let day = first; day <= last; day = addDays(day, 1)) days.push(day)
  return days
}

/** The same place in the next or the previous span. */
export function stepDate(date: string, span: CalendarSpan, step: number): string {
  if (span === 'week') return addDays(date, step * 7)
  const time = new Date(`${date.slice(0, 8)}01T00:00:00Z`)
  time.setUTCMonth(time.getUTCMonth() + step)
  return time.toISOString().slice(0, 10)
}

export function lastOfMonth(date: string): string {
  return addDays(stepDate(date, 'month', 1), -1)
}

function mondayOf(date: string): string {
  const weekday = new Date(`${date}T00:00:00Z`).getUTCDay()
  return addDays(date, -((weekday + 6) % 7))
}
