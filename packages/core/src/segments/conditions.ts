import { userError } from '@huitou/plugin-api'
import { type RawBuilder, type SqlBool, sql } from 'kysely'
import type { BusinessDays } from '../days.ts'
import type { Engine } from '../db/database.ts'
import { sameText } from '../people/sealed-conditions.ts'
import type { Vault } from '../people/vault.ts'
import type { ValueClass } from './rule-columns.ts'
import type { ColumnOp, RuleValue } from './rule.ts'

export type Condition = RawBuilder<SqlBool>

/** What a comparison is about and under which circumstances. */
export interface Operand {
  /** Column name or property, for messages. */
  name: string
  valueClass: ValueClass
  /** SQL of the value; NULL when there is none. */
  value: RawBuilder<unknown>
  engine: Engine
  /** Seals what is personal: a value may be sealed and is then compared whole. */
  vault: Vault
  /** Every value is sealed, so that the database sees neither order nor parts. */
  isSealed?: boolean
  days: BusinessDays
  today: number
}

const COMPARE: Partial<Record<ColumnOp, string>> = {
  gt: '>',
  gte: '>=',
  lt: '<',
  lte: '<=',
  on_or_after: '>=',
  before: '<',
}
const NEGATIONS: Partial<Record<ColumnOp, ColumnOp>> = {
  is_not: 'is',
  not_in: 'in',
  not_contains: 'contains',
  is_not_set: 'is_set',
}

const OPS: Record<ValueClass, ReadonlySet<ColumnOp>> = {
  text: new Set<ColumnOp>([
    'is',
    'is_not',
    'in',
    'not_in',
    'contains',
    'not_contains',
    'starts_with',
    'is_set',
    'is_not_set',
  ]),
  number: new Set<ColumnOp>([
    'is',
    'is_not',
    'in',
    'not_in',
    'gt',
    'gte',
    'lt',
    'lte',
    'between',
    'is_set',
    'is_not_set',
  ]),
  time: new Set<ColumnOp>([
    'within_days',
    'before_days',
    'on_or_after',
    'before',
    'gt',
    'gte',
    'lt',
    'lte',
    'between',
    'is_set',
    'is_not_set',
  ]),
  boolean: new Set<ColumnOp>(['true', 'false', 'is', 'is_not', 'is_set', 'is_not_set']),
}

const SEALED_OPS = new Set<ColumnOp>(['is', 'is_not', 'in', 'not_in', 'is_set', 'is_not_set'])

/** What a sealed value cannot be asked. */
export function sealedError(name: string, op: string) {
  return userError('E_SEALED', `"${name}" is sealed in the database: "${op}" cannot be asked of it`, {
    hint: 'Compare whole values (is, in), or ask whether there is one. A customer is also found by the last four digits of the phone.',
    details: { name },
  })
}

/**
 * Comparison of one value, true or false and never NULL, so that `not` is the exact complement: a customer
 * without a city is in "city is not 上海". Letters A–Z match either case in `contains` and `starts_with`, alike
 * on both engines; everything else compares exactly.
 */
export function compareValue(operand: Operand, op: ColumnOp, given: RuleValue | undefined): Condition {
  if (!OPS[operand.valueClass].has(op)) {
    throw userError(
      'E_RULE_OP',
      `"${op}" does not apply to "${operand.name}", which holds ${NOUNS[operand.valueClass]}`,
      {
        hint: `Choose one of ${[...OPS[operand.valueClass]].join(', ')}.`,
      },
    )
  }
  if (operand.isSealed && !SEALED_OPS.has(op)) throw sealedError(operand.name, op)
  const positive = NEGATIONS[op]
  if (positive) return sql<SqlBool>`(not ${compareValue(operand, positive, given)})`
  if (op === 'is_set') return sql<SqlBool>`(${operand.value} is not null)`
  return sql<SqlBool>`(${operand.value} is not null and ${comparison(operand, op, given)})`
}

const NOUNS: Record<ValueClass, string> = {
  text: 'text',
  number: 'numbers',
  time: 'times',
  boolean: 'yes or no',
}

function comparison(operand: Operand, op: ColumnOp, given: RuleValue | undefined): RawBuilder<unknown> {
  const { value, valueClass, days, today } = operand
  switch (op) {
    case 'true':
      return sql`${value} = 1`
    case 'false':
      return sql`${value} = 0`
    case 'contains':
      return like(operand, `%${escapeLike(toText(operand, given))}%`)
    case 'starts_with':
      return like(operand, `${escapeLike(toText(operand, given))}%`)
    case 'within_days': {
      const first = days.startOf(today - toDays(operand, given) + 1)
      return sql`${value} >= ${literal(operand, first)} and ${value} < ${literal(operand, days.startOf(today + 1))}`
    }
    case 'before_days':
      return sql`${value} < ${literal(operand, days.startOf(today - toDays(operand, given) + 1))}`
    case 'between': {
      const [from, to] = toRange(operand, given)
      return sql`${value} >= ${literal(operand, from)} and ${value} <= ${literal(operand, to)}`
    }
    case 'in': {
      const list = Array.isArray(given) ? given : [given ?? null]
      if (list.length === 0) throw valueError(operand, 'at least one value')
      if (operand.isSealed)
        return sameText(
          operand.vault,
          value,
          list.map((entry) => toText(operand, entry)),
        )
      return sql`${value} in (${sql.join(list.map((entry) => scalar(operand, entry)))})`
    }
    case 'is':
      if (Array.isArray(given) || operand.isSealed) return comparison(operand, 'in', given)
      return sql`${value} = ${scalar(operand, given)}`
    default: {
      const operator = COMPARE[op]
      if (!operator) throw userError('E_RULE_OP', `"${op}" is not an operator`)
      const number = valueClass === 'time' ? toTime(operand, given) : toNumber(operand, given)
      return sql`${value} ${sql.raw(operator)} ${literal(operand, number)}`
    }
  }
}

function like({ value, engine }: Operand, pattern: string): RawBuilder<unknown> {
  // LIKE ignores the case of A–Z alone on SQLite; so does ILIKE under the collation "C".
  return engine === 'postgres'
    ? sql`${value} collate "C" ilike ${pattern} escape '!'`
    : sql`${value} like ${pattern} escape '!'`
}

function escapeLike(text: string): string {
  return text.replaceAll(/[!%_]/g, (character) => `!${character}`)
}

function scalar(operand: Operand, given: RuleValue | undefined): RawBuilder<unknown> {
  if (operand.valueClass === 'text') return sql`${toText(operand, given)}`
  if (operand.valueClass === 'number') return literal(operand, toNumber(operand, given))
  if (given === true || given === 'true' || given === 1) return sql`1`
  if (given === false || given === 'false' || given === 0) return sql`0`
  throw valueError(operand, 'true or false')
}

/** PostgreSQL takes a parameter's type from the column, and a whole-number column would refuse a fraction. */
function literal({ engine }: Operand, number: number): RawBuilder<unknown> {
  if (engine === 'sqlite') return sql`${number}`
  return Number.isSafeInteger(number) ? sql`${number}::bigint` : sql`${number}::double precision`
}

function toText(operand: Operand, given: RuleValue | undefined): string {
  if (typeof given === 'number') return String(given)
  if (typeof given !== 'string' || given === '') throw valueError(operand, 'a text')
  return given
}

function toNumber(operand: Operand, given: RuleValue | undefined): number {
  if (typeof given !== 'number' || !Number.isFinite(given)) throw valueError(operand, 'a number')
  return given
}

function toDays(operand: Operand, given: RuleValue | undefined): number {
  if (typeof given !== 'number' || !Number.isInteger(given) || given < 1 || given > 36_500) {
    throw valueError(operand, 'a number of days from 1 to 36500')
  }
  return given
}

/** Epoch milliseconds, or the first instant of a business day written `YYYY-MM-DD`. */
function toTime(operand: Operand, given: RuleValue | undefined, dayOffset = 0): number {
  if (typeof given === 'number' && Number.isFinite(given)) return given
  if (typeof given === 'string' && /^\d{4}-\d\d-\d\d$/.test(given)) {
    try {
      const start = operand.days.startOf(operand.days.parse(given) + dayOffset)
      return dayOffset === 0 ? start : start - 1
    } catch {
      // Not a day of the calendar, for instance 2026-02-30.
    }
  }
  throw valueError(operand, 'a time in milliseconds or a day such as 2026-11-21')
}

/** Both ends belong to the range; a day as the end means the whole day. */
function toRange(operand: Operand, given: RuleValue | undefined): [number, number] {
  if (!Array.isArray(given) || given.length !== 2) throw valueError(operand, 'two values')
  const [from, to] = given
  return operand.valueClass === 'time'
    ? [toTime(operand, from), toTime(operand, to, 1)]
    : [toNumber(operand, from), toNumber(operand, to)]
}

function valueError(operand: Operand, wanted: string) {
  return userError('E_RULE_VALUE', `The condition on "${operand.name}" needs ${wanted}`, {
    details: { name: operand.name },
  })
}
