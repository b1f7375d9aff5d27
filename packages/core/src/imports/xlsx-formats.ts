/** How a number of a workbook is meant to be read. */
export type NumberKind = 'number' | 'date' | 'datetime' | 'time'

/** Formats that Excel knows by number; the others of 14–58 depend on the language and are dates in Chinese. */
const BUILT_IN: [from: number, to: number, kind: NumberKind][] = [
  [14, 17, 'date'],
  [18, 21, 'time'],
  [22, 22, 'datetime'],
  [27, 31, 'date'],
  [32, 35, 'time'],
  [36, 36, 'date'],
  [45, 45, 'time'],
  [47, 47, 'time'],
  [50, 54, 'date'],
  [55, 56, 'time'],
  [57, 58, 'date'],
]

/** Reads a format by its number, or by its code when the workbook defines it. */
export function numberKind(id: number, code: string | undefined): NumberKind {
  if (code === undefined) return BUILT_IN.find(([from, to]) => id >= from && id <= to)?.[2] ?? 'number'
  // Quoted text, escaped characters, colours and conditions are not the format; `[h]` counts hours, which is a length.
  const bare = code.split(';')[0]!.replaceAll(/"[^"]*"|\\.|_.|\*.|\[(?!(h+|m+|s+)\])[^\]]*\]/gi, '')
  if (/\[(h+|m+|s+)\]/i.test(bare) || /general|@|#|0\.0|^0+$/i.test(bare.replaceAll(/s\.0+/gi, 's')))
    return 'number'
  const day = /[yd]|年|日/i.test(bare)
  const time = /[hs]|时|分|秒/i.test(bare)
  if (day) return time ? 'datetime' : 'date'
  if (time) return 'time'
  return /m/i.test(bare) ? 'date' : 'number'
}

const DAY = 86_400_000
/** Day 0 of the serial numbers, with the leap day of 1900 that never was already taken off. */
const EPOCH_1900 = Date.UTC(1899, 11, 30)
const EPOCH_1904 = Date.UTC(1904, 0, 1)

/**
 * Text of a serial date: `2026-11-21`, `2026-11-21 10:24:00`, or `10:24:00` for a time without a day. Undefined
 * when the number is no date at all.
 */
export function serialDate(serial: number, kind: NumberKind, date1904: boolean): string | undefined {
  if (!Number.isFinite(serial) || serial < 0 || serial >= 2_958_466) return undefined
  // To the second: a serial cannot hold more, and 0.1 s off turns 10:24:00 into 10:23:59.
  const seconds = Math.round((serial * DAY) / 1_000)
  const moment = new Date((date1904 ? EPOCH_1904 : EPOCH_1900) + seconds * 1_000).toISOString()
  const day = moment.slice(0, 10)
  const time = moment.slice(11, 19)
  if (serial < 1 && (kind === 'time' || !date1904)) return time
  return kind === 'date' && time === '00:00:00' ? day : `${day} ${time}`
}

/**
 * A number as a person sees it. Excel keeps 19.99 as 19.989999999999998 and shows 15 digits of it; whole numbers
 * stay digit for digit, because they may be ids.
 */
export function numberText(stored: string): string {
  if (/^-?\d+$/.test(stored) || stored.length <= 15) return stored
  const value = Number(stored)
  if (!Number.isFinite(value) || Math.abs(value) >= 1e15 || (value !== 0 && Math.abs(value) < 1e-6))
    return stored
  return String(Number(value.toPrecision(15)))
}
