import type { Db, Tx } from '../db/database.ts'
import { readBrand } from '../settings/brand.ts'
import { BusinessClock } from '../tasks/business-hours.ts'
import { readBusinessHours } from '../tasks/queues.ts'

/** Counts working days of the brand: weekends, public holidays and days of its own are as its business hours say. */
export interface WorkingDays {
  /** The end of the working day that comes `count` working days after the day of `from`, which counts itself not. */
  after(from: number, count: number): number
  /** The start of the working day that comes `count` working days before the day of `from`. */
  before(from: number, count: number): number
}

/** A brand that never works would wait for ever. */
const HORIZON = 3_000

export async function readWorkingDays(db: Db | Tx): Promise<WorkingDays> {
  const { timeZone } = await readBrand(db)
  const clock = new BusinessClock(await readBusinessHours(db), timeZone)
  const dayOf = (moment: number) =>
    Temporal.Instant.fromEpochMilliseconds(moment).toZonedDateTimeISO(timeZone).toPlainDate()
  const startOf = (day: Temporal.PlainDate) => day.toZonedDateTime(timeZone).epochMilliseconds
  const next = (day: Temporal.PlainDate, by: number) => day.add({ days: by })
  const isWorking = (day: Temporal.PlainDate) => clock.between(startOf(day), startOf(next(day, 1)) - 1) > 0
  const step = (from: number, count: number, by: 1 | -1) => {
    let day = dayOf(from)
    for (let left = count, looked = 0; left > 0 && looked < HORIZON; looked++) {
      day = next(day, by)
      if (isWorking(day)) left--
    }
    return day
  }
  return {
    after: (from, count) => startOf(next(step(from, count, 1), 1)) - 1,
    before: (from, count) => startOf(step(from, count, -1)),
  }
}
