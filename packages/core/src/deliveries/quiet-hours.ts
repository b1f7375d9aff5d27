import type { ContactPolicy } from './policy.ts'

/**
 * First moment at or after `now` that is not quiet in `timeZone`. Quiet hours may go over midnight; the end of them
 * is a time on the wall, also on the day a zone changes its offset.
 */
export function afterQuietHours(
  quiet: NonNullable<ContactPolicy['quietHours']>,
  timeZone: string,
  now: number,
): number {
  const { from, to } = quiet
  if (from === to) return now
  const local = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(timeZone)
  const time = local.toPlainTime().toString({ smallestUnit: 'minute' })
  const isQuiet = from < to ? time >= from && time < to : time >= from || time < to
  if (!isQuiet) return now
  const day = time < to ? local.toPlainDate() : local.toPlainDate().add({ days: 1 })
  return day.toZonedDateTime({ timeZone, plainTime: Temporal.PlainTime.from(to) }).epochMilliseconds
}

/** The customer's own zone when it is one that exists, the brand's otherwise. */
export function zoneOf(own: unknown, brandZone: string): string {
  if (typeof own !== 'string' || own === '') return brandZone
  const known = zones.get(own)
  if (known !== undefined) return known ? own : brandZone
  let valid = true
  try {
    new Intl.DateTimeFormat('en', { timeZone: own })
  } catch {
    valid = false
  }
  if (zones.size < 1_000) zones.set(own, valid)
  return valid ? own : brandZone
}

const zones = new Map<string, boolean>()
