import type { Tx } from '../db/database.ts'
import { idRows } from '../db/rows.ts'
import type { KnownIdentifier } from '../journeys/people.ts'
import { readColumns } from '../profiles/columns.ts'

/** Shorter texts stand for too many other things to be looked for. */
const SHORTEST = 5

/**
 * Texts by which one customer can be told in free text: identifiers as stored and as people write them, and personal
 * columns. Not the name: others are called the same.
 */
export async function marksOf(
  tx: Tx,
  customerId: number,
  identifiers: readonly KnownIdentifier[],
): Promise<string[]> {
  const columns = (await readColumns(tx)).filter(
    ({ pii, logical, type }) => pii && logical !== 'name' && (type === 'text' || type === 'label'),
  )
  const profile = (await tx
    .selectFrom('profiles')
    .selectAll()
    .where('customer_id', 'in', (where) => where.selectFrom(idRows(tx, [customerId])).select('r.id'))
    .executeTakeFirst()) as Record<string, unknown> | undefined
  const texts = [
    ...identifiers.flatMap(({ kind, value }) =>
      kind === 'phone' && value.startsWith('+86') ? [value, value.slice(3)] : [value],
    ),
    ...columns.flatMap(({ name }) => (typeof profile?.[name] === 'string' ? [profile[name]] : [])),
  ]
  return [...new Set(texts)].filter(isTelling).toSorted((a, b) => b.length - a.length)
}

/** A word that anybody may use is no mark: taken out of others' texts it would do harm. */
function isTelling(text: string): boolean {
  return text.length >= SHORTEST && /[\d@]|\p{Script=Han}.*\p{Script=Han}/u.test(text)
}

/** Finds marks that stand by themselves: `u1234` is not in `u12345`. */
export class MarkFinder {
  readonly marks: readonly string[]
  readonly #pattern: RegExp | undefined

  constructor(marks: readonly string[]) {
    this.marks = marks
    const words = marks.map((mark) => {
      const escaped = RegExp.escape(mark)
      const before = /^[\p{L}\p{N}]/u.test(mark) && !isHan(mark) ? '(?<![\\p{L}\\p{N}])' : ''
      const after = /[\p{L}\p{N}]$/u.test(mark) && !isHan(mark) ? '(?![\\p{L}\\p{N}])' : ''
      return `${before}${escaped}${after}`
    })
    this.#pattern = words.length === 0 ? undefined : new RegExp(words.join('|'), 'gu')
  }

  isIn(text: string): boolean {
    return this.#pattern !== undefined && text.search(this.#pattern) >= 0
  }

  /** The text without the marks. */
  without(text: string): string {
    return this.#pattern === undefined ? text : text.replaceAll(this.#pattern, '')
  }

  /** JSON without the marks, in keys and values. With `rows` a list or object that holds one loses all its texts. */
  withoutInJson(json: string, { rows = false }: { rows?: boolean } = {}): string {
    return JSON.stringify(this.#cleaned(JSON.parse(json), rows))
  }

  #cleaned(value: unknown, rows: boolean): unknown {
    if (typeof value === 'string') return this.without(value)
    if (typeof value === 'number') return this.isIn(String(value)) ? null : value
    if (typeof value !== 'object' || value === null) return value
    const inner = Object.values(value)
    const isRow =
      rows &&
      inner.some((each) => (typeof each === 'string' || typeof each === 'number') && this.isIn(String(each)))
    const clean = (each: unknown) => (isRow && typeof each === 'string' ? '' : this.#cleaned(each, rows))
    if (Array.isArray(value)) return value.map(clean)
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [this.without(key), clean(each)]))
  }
}

function isHan(text: string): boolean {
  return /\p{Script=Han}/u.test(text)
}
