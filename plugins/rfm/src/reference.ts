import { parseDay, toBusinessDay } from './business-days.ts'

/** The day that recency is counted back from, in days since 1970-01-01, and why it is that day. */
export interface Reference {
  day: number
  reason: 'today' | 'after_newest' | 'chosen'
}

/** Data whose newest order is older than this is taken for a file from the past. */
const historicalAfterDays = 30

/**
 * Settles the reference day. `auto` is today as long as orders keep coming in; for a file from the past it is the
 * day after the newest order, as counting from today would make everybody look lost.
 */
export function resolveReference(
  setting: string,
  newestOrderDay: number,
  now: number,
  timeZone: string,
): Reference {
  const today = toBusinessDay(now, timeZone)
  if (setting === 'today') return { day: today, reason: 'today' }
  if (setting !== 'auto') return { day: parseDay(setting), reason: 'chosen' }
  if (!Number.isFinite(newestOrderDay) || today - newestOrderDay <= historicalAfterDays)
    return { day: today, reason: 'today' }
  return { day: newestOrderDay + 1, reason: 'after_newest' }
}
