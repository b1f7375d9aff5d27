import { formatDateTime } from './time.ts'

/** What a clock in `timeZone` shows at an instant, as an input of the browser takes it: `2026-11-20T10:24`. */
export function toLocalTime(time: number, timeZone: string): string {
  return Number.isFinite(time) ? formatDateTime(time, { locale: 'en', timeZone }).replace(' ', 'T') : ''
}

/** The instant at which a clock in `timeZone` shows `local`; undefined when that is no time. */
export function fromLocalTime(local: string, timeZone: string): number | undefined {
  const wanted = Date.parse(`${local}Z`)
  if (Number.isNaN(wanted)) return undefined
  // The zone's offset at a guess, and once more at what it gave: right but for the hour that a change of clocks skips.
  let time = wanted
  for (let turn = 0; turn < 2; turn++) {
    const shown = Date.parse(`${toLocalTime(time, timeZone)}Z`)
    time += Math.floor(wanted / 60_000) * 60_000 - shown
  }
  return time
}
