import type { FileSample, Mapping, Recognition } from '@huitou/plugin-api'
import { cleanCell, cleanToken, headingKey, isMasked } from './cells.ts'
import { FIELD_IDS, MONEY_FIELDS, TIME_FIELDS, type FieldId } from './fields.ts'
import { generic } from './formats/generic.ts'
import { findDecimal } from './money.ts'
import { findEmail, findPhone } from './phones.ts'
import { DOUBT_TEXTS } from './texts.ts'
import { timeReader } from './times.ts'

/** Which columns seem to fill which fields, and where that is doubtful. */
export interface Guess {
  fields: Mapping['fields']
  doubts: Recognition['doubts']
}

/** A heading such as "客户手机号（加密）" contains its field's name; shorter names than this occur in too many headings. */
const SHORTEST_INSIDE = 3
const ENOUGH = 0.8

/**
 * Guesses the meaning of columns: first by their headings' known names, then by names inside headings, then by values.
 * A column whose values contradict its heading is not used.
 */
export function guessFields(sample: FileSample): Guess {
  const keys = sample.headers.map(headingKey)
  const cells = keys.map((_, column) =>
    sample.rows.map((row) => cleanCell(row.cells[column])).filter((cell) => cell !== ''),
  )
  const guess: Guess = { fields: {}, doubts: [] }
  const taken = new Set<number>()
  const take = (field: FieldId, column: number, doubt?: keyof typeof DOUBT_TEXTS) => {
    if (taken.has(column) || !suits(field, cells[column]!)) return
    taken.add(column)
    ;(guess.fields[field] ??= []).push(column)
    if (doubt) guess.doubts.push({ column, reason: DOUBT_TEXTS[doubt] })
  }
  for (const field of FIELD_IDS) {
    for (const name of generic.fields[field] ?? []) {
      const key = headingKey(name)
      keys.forEach((heading, column) => heading === key && take(field, column))
    }
  }
  for (const field of FIELD_IDS) {
    if (guess.fields[field]) continue
    const inside = (generic.fields[field] ?? []).map(headingKey).filter((name) => isTelling(name))
    const column = keys.findIndex(
      (heading, index) => !taken.has(index) && inside.some((name) => heading.includes(name)),
    )
    if (column >= 0) take(field, column, 'heading')
  }
  guessByValues(cells, guess, take)
  return guess
}

function guessByValues(
  cells: string[][],
  { fields }: Guess,
  take: (field: FieldId, column: number, doubt: 'values') => void,
): void {
  const tests: [FieldId, boolean][] = [
    ['created_at', TIME_FIELDS.some((field) => fields[field])],
    ['email', fields.email !== undefined],
    ['phone', (fields.phone ?? fields.receiver_phone) !== undefined],
  ]
  for (const [field, known] of tests) {
    if (known) continue
    const column = cells.findIndex(
      (values) => values.length > 0 && suits(field, values) && isPlain(field, values),
    )
    if (column >= 0) take(field, column, 'values')
  }
}

/** Times and phones only from cells that could be nothing else: a bare number of eight digits may be an id. */
function isPlain(field: FieldId, values: string[]): boolean {
  return field !== 'created_at' || values.every((value) => /\D/.test(value) && !/^\d+\.\d+$/.test(value))
}

function isTelling(name: string): boolean {
  return /[\u4e00-\u9fff]/.test(name) ? name.length >= SHORTEST_INSIDE : name.length >= 6
}

function suits(field: FieldId, values: string[]): boolean {
  const test = testOf(field)
  if (!test || values.length === 0) return true
  const filled = values.filter((value) => !isMasked(value))
  if (filled.length === 0) return field === 'phone' || field === 'receiver_phone' || field === 'email'
  return filled.filter(test).length >= filled.length * ENOUGH
}

const anyTime = timeReader('UTC', 'mdy')
const anyTimeDayFirst = timeReader('UTC', 'dmy')

function testOf(field: FieldId): ((value: string) => boolean) | undefined {
  if (TIME_FIELDS.includes(field))
    return (value) => anyTime(value) !== undefined || anyTimeDayFirst(value) !== undefined
  if (MONEY_FIELDS.includes(field) || field === 'quantity') return (value) => findDecimal(value) !== undefined
  if (field === 'phone' || field === 'receiver_phone')
    return (value) => findPhone(value) !== undefined || /^[+\d][\d\s()-]{6,}$/.test(cleanToken(value))
  if (field === 'email') return (value) => findEmail(value) !== undefined
  if (field === 'currency') return (value) => /^[A-Za-z]{3}$/.test(cleanToken(value))
  return undefined
}
