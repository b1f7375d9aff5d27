/** No marketing before eight anywhere; Tencent refuses it from ten at night, other carriers from nine. */
const earliest = 8
const latest = 22

/**
 * When a marketing text may go out, if not now: carriers carry none at night, by the clock of China. `from` and
 * `until` are whole hours, which settings may narrow but not widen.
 */
export function nextLegalTime(now: number, { from = earliest, until = 21 }): number | undefined {
  const opens = Math.max(from, earliest)
  const closes = Math.min(until, latest)
  const here = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO('Asia/Shanghai')
  if (here.hour >= opens && here.hour < closes) return undefined
  const day = here.hour < opens ? here : here.add({ days: 1 })
  return day.startOfDay().add({ hours: opens }).epochMilliseconds
}
