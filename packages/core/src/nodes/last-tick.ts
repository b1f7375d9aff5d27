import { Cron } from 'croner'

/** Patterns are few and looked at every second. */
const crons = new Map<string, Cron>()

/**
 * When the schedule, cron in the brand's zone, last said "now", in epoch milliseconds; 0 for a schedule that never
 * has, or that cannot be read.
 */
export function lastTick(schedule: string, { now, timeZone }: { now: number; timeZone: string }): number {
  const key = `${timeZone} ${schedule}`
  try {
    let cron = crons.get(key)
    if (!cron) crons.set(key, (cron = new Cron(schedule, { timezone: timeZone, paused: true })))
    // A tick at this very moment has been.
    const [last] = cron.previousRuns(1, new Date(now + 1))
    return last?.getTime() ?? 0
  } catch {
    return 0
  }
}
