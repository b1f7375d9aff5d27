import {
  type ColumnBatch,
  type ColumnOperator,
  type ColumnRule,
  type ColumnSentence,
  type SegmenterContribution,
  valueAt,
} from '@huitou/plugin-api'
import { type BusinessDays, businessDaysIn } from '../days.ts'

type Test = (row: number) => boolean

const NEGATIONS: Partial<Record<ColumnOperator, ColumnOperator>> = {
  is_not: 'is',
  not_in: 'in',
  not_contains: 'contains',
  is_not_set: 'is_set',
}

/** Whether every label of a segmenter says by a rule who gets it, so that no code is needed. */
export function hasRules({ labels }: Pick<SegmenterContribution, 'labels'>): boolean {
  return labels.every(({ rule }) => rule !== undefined)
}

/**
 * Labels by their rules, a place in `labels` a row: each customer gets the first whose rule holds, or −1. Rules mean what they
 * mean in segments; a sentence about a missing value is false, and its negation true.
 */
export function assignByRules(
  { labels }: Pick<SegmenterContribution, 'labels'>,
  batch: ColumnBatch,
  { now, timeZone }: { now: number; timeZone: string },
): Int16Array {
  const days = businessDaysIn(timeZone)
  const scope = { batch, days, today: days.dayOf(now) }
  const tests = labels.map(({ rule }) => compile(rule ?? { any: [] }, scope))
  return Int16Array.from(batch.ids, (_, row) => tests.findIndex((test) => test(row)))
}

interface Scope {
  batch: ColumnBatch
  days: BusinessDays
  today: number
}

function compile(rule: ColumnRule, scope: Scope): Test {
  if ('column' in rule) return sentence(rule, scope)
  if ('not' in rule) {
    const inner = compile(rule.not, scope)
    return (row) => !inner(row)
  }
  const parts = ('all' in rule ? rule.all : rule.any).map((part) => compile(part, scope))
  return 'all' in rule ? (row) => parts.every((test) => test(row)) : (row) => parts.some((test) => test(row))
}

function sentence({ column, op, value }: ColumnSentence, scope: Scope): Test {
  const positive = NEGATIONS[op]
  if (positive) {
    const inner = sentence({ column, op: positive, ...(value === undefined ? {} : { value }) }, scope)
    return (row) => !inner(row)
  }
  const vector = scope.batch.columns[column]
  const holds = comparison(op, value, scope)
  return (row) => {
    const found = vector && valueAt(vector, row)
    return found !== undefined && holds(found)
  }
}

function comparison(
  op: ColumnOperator,
  given: ColumnSentence['value'],
  scope: Scope,
): (found: string | number) => boolean {
  const { days, today } = scope
  const time = (wanted: unknown) =>
    typeof wanted === 'string' ? days.startOf(days.parse(wanted)) : Number(wanted)
  const text = lowerAscii(String(given))
  switch (op) {
    case 'is_set':
      return () => true
    case 'true':
      return (found) => found === 1
    case 'false':
      return (found) => found === 0
    case 'contains':
      return (found) => typeof found === 'string' && lowerAscii(found).includes(text)
    case 'starts_with':
      return (found) => typeof found === 'string' && lowerAscii(found).startsWith(text)
    case 'within_days': {
      const [from, before] = [days.startOf(today - Number(given) + 1), days.startOf(today + 1)]
      return (found) => Number(found) >= from && Number(found) < before
    }
    case 'before_days': {
      const before = days.startOf(today - Number(given) + 1)
      return (found) => Number(found) < before
    }
    case 'between': {
      const [from, to] = given as (string | number)[]
      // A day at the end counts whole.
      const last = typeof to === 'string' ? days.startOf(days.parse(to) + 1) - 1 : Number(to)
      return (found) => Number(found) >= time(from) && Number(found) <= last
    }
    case 'is':
    case 'in': {
      const wanted = [given].flat().map((each) => (typeof each === 'boolean' ? Number(each) : each))
      return (found) => wanted.some((each) => (typeof found === 'string' ? String(each) : each) === found)
    }
    case 'gt':
      return (found) => Number(found) > time(given)
    case 'gte':
    case 'on_or_after':
      return (found) => Number(found) >= time(given)
    case 'lte':
      return (found) => Number(found) <= time(given)
    default:
      return (found) => Number(found) < time(given)
  }
}

/** Letters A–Z match either case, as in segments; everything else compares exactly. */
function lowerAscii(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())
}
