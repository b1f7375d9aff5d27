import { cleanToken } from './cells.ts'

/** Which number comes first in `3/4/2024`. */
export type DateOrder = 'dmy' | 'mdy'

export type TimeReader = (cell: string | undefined) => number | undefined

interface Wall {
  year: number
  month: number
  day: number
  hour: number
  minute: number
  second: number
  millisecond: number
  /** Minutes east of UTC when the text says so itself. */
  offset?: number
}

const DAY = 86_400_000
const CACHED = 60_000
const YEAR_FIRST = /^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T\s]*(.+))?$/
const YEAR_LAST = /^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})(?:,?\s+(.+))?$/
const CLOCK =
  /^(\d{1,2})[:时](\d{1,2})(?:[:分](\d{1,2})(?:[.,](\d{1,9}))?秒?)?分?\s*([ap]\.?m\.?|上午|下午)?\s*(z|utc|gmt|[+-]\d{2}:?\d{2}|[+-]\d{2})?$/i
const DIGITS = /^\d+(?:\.\d+)?$/

const readers = new Map<string, TimeReader>()

/**
 * A function that reads a time cell as UTC epoch milliseconds, taking wall-clock times in `timeZone`; undefined when the
 * cell is empty or no time. It understands `2024-01-31 08:05[:09]`, `2024/1/31 8:05`, `20240131`, `31/1/2024`,
 * ISO 8601 with a zone, `2024年1月31日`, spreadsheet serial numbers and epoch seconds or milliseconds.
 */
export function timeReader(timeZone: string, dateOrder: DateOrder = 'mdy'): TimeReader {
  const key = `${timeZone} ${dateOrder}`
  const made = readers.get(key)
  if (made) return made
  const clock = wallClock(timeZone)
  const cache = new Map<string, number>()
  const reader: TimeReader = (cell) => {
    if (cell === undefined || cell === '') return undefined
    const known = cache.get(cell)
    if (known !== undefined) return known
    const time = readTime(cleanToken(cell), dateOrder, clock)
    if (time === undefined) return undefined
    if (cache.size >= CACHED) cache.clear()
    cache.set(cell, time)
    return time
  }
  readers.set(key, reader)
  return reader
}

/**
 * The order of day and month that the cells of one column show; undefined when every one of them can be read both
 * ways, `conflict` when they contradict each other.
 */
export function dateOrderOf(cells: string[]): DateOrder | 'conflict' | undefined {
  let order: DateOrder | undefined
  for (const cell of cells) {
    const match = YEAR_LAST.exec(cleanToken(cell))
    if (!match) continue
    const first = Number(match[1])
    const second = Number(match[2])
    const shown = first > 12 ? 'dmy' : second > 12 ? 'mdy' : undefined
    if (shown && order && shown !== order) return 'conflict'
    order ??= shown
  }
  return order
}

/** The cell has its year last, so that day and month could be confused. */
export function isYearLast(cell: string): boolean {
  return YEAR_LAST.test(cleanToken(cell))
}

function readTime(text: string, dateOrder: DateOrder, toEpoch: (wall: Wall) => number): number | undefined {
  if (text === '') return undefined
  if (DIGITS.test(text)) return readNumber(text, toEpoch)
  const yearFirst = YEAR_FIRST.exec(text)
  if (yearFirst) {
    return assemble([Number(yearFirst[1]), Number(yearFirst[2]), Number(yearFirst[3])], yearFirst[4], toEpoch)
  }
  const yearLast = YEAR_LAST.exec(text)
  if (!yearLast) return undefined
  const [first, second] = [Number(yearLast[1]), Number(yearLast[2])]
  const year = yearLast[3]!.length === 2 ? 2000 + Number(yearLast[3]) : Number(yearLast[3])
  const [month, day] = dateOrder === 'dmy' ? [second, first] : [first, second]
  return assemble([year, month, day], yearLast[4], toEpoch)
}

function assemble(
  date: [number, number, number],
  clock: string | undefined,
  toEpoch: (wall: Wall) => number,
) {
  const [year, month, day] = date
  const wall: Wall = { year, month, day, hour: 0, minute: 0, second: 0, millisecond: 0 }
  if (clock !== undefined && clock.trim() !== '') {
    const match = CLOCK.exec(clock.trim())
    if (!match) return undefined
    wall.hour = Number(match[1])
    wall.minute = Number(match[2])
    wall.second = Number(match[3] ?? 0)
    wall.millisecond = Number((match[4] ?? '').slice(0, 3).padEnd(3, '0'))
    if (match[5]) wall.hour = (wall.hour % 12) + (/^p|下午/i.test(match[5]) ? 12 : 0)
    if (match[6]) wall.offset = readOffset(match[6])
  }
  return isReal(wall) ? toEpoch(wall) : undefined
}

function readNumber(text: string, toEpoch: (wall: Wall) => number): number | undefined {
  const value = Number(text)
  const whole = !text.includes('.')
  if (whole && text.length === 8) {
    return assemble(
      [Number(text.slice(0, 4)), Number(text.slice(4, 6)), Number(text.slice(6, 8))],
      undefined,
      toEpoch,
    )
  }
  if (whole && (text.length === 14 || text.length === 12)) {
    const clock = `${text.slice(8, 10)}:${text.slice(10, 12)}${text.length === 14 ? `:${text.slice(12)}` : ''}`
    return assemble(
      [Number(text.slice(0, 4)), Number(text.slice(4, 6)), Number(text.slice(6, 8))],
      clock,
      toEpoch,
    )
  }
  if (whole && text.length === 13) return value
  if (text.split('.')[0]!.length === 10) return Math.round(value * 1000)
  // Days since 1899-12-30, as spreadsheets count: 1954 to 2119.
  if (value < 20_000 || value > 80_000) return undefined
  const utc = new Date(Math.round((value - 25_569) * 86_400) * 1000)
  return toEpoch({
    year: utc.getUTCFullYear(),
    month: utc.getUTCMonth() + 1,
    day: utc.getUTCDate(),
    hour: utc.getUTCHours(),
    minute: utc.getUTCMinutes(),
    second: utc.getUTCSeconds(),
    millisecond: 0,
  })
}

function readOffset(text: string): number {
  if (!/^[+-]/.test(text)) return 0
  const digits = text.slice(1).replace(':', '')
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2) || 0)
  return text.startsWith('-') ? -minutes : minutes
}

function isReal(wall: Wall): boolean {
  if (wall.year < 1970 || wall.year > 2120 || wall.month < 1 || wall.month > 12 || wall.day < 1) return false
  if (wall.hour > 23 || wall.minute > 59 || wall.second > 59) return false
  return wall.day <= new Date(Date.UTC(wall.year, wall.month, 0)).getUTCDate()
}

/** Wall-clock time to epoch. The zone's offset is looked up once a day, and per time only on days when it changes. */
function wallClock(timeZone: string): (wall: Wall) => number {
  const offsets = new Map<number, number | undefined>()
  return (wall) => {
    const time = Date.UTC(
      wall.year,
      wall.month - 1,
      wall.day,
      wall.hour,
      wall.minute,
      wall.second,
      wall.millisecond,
    )
    if (wall.offset !== undefined) return time - wall.offset * 60_000
    const day = Math.floor(time / DAY)
    if (!offsets.has(day)) offsets.set(day, steadyOffset(day, timeZone))
    const offset = offsets.get(day)
    if (offset !== undefined) return time - offset
    const { offset: _, ...plain } = wall
    return Temporal.PlainDateTime.from(plain).toZonedDateTime(timeZone).epochMilliseconds
  }
}

/** Offset in milliseconds on the local day, or undefined when it changes during it. */
function steadyOffset(day: number, timeZone: string): number | undefined {
  const start = Temporal.PlainDate.from(new Date(day * DAY).toISOString().slice(0, 10)).toZonedDateTime(
    timeZone,
  )
  const end = start.add({ days: 1 })
  const offset = day * DAY - start.epochMilliseconds
  return start.offset === end.offset &&
    start.hour === 0 &&
    end.epochMilliseconds - start.epochMilliseconds === DAY
    ? offset
    : undefined
}
