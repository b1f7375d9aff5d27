import { isNumber, operatorsFor, valueShape, valuesOf } from './rule-model.ts'
import type { ColumnOp, Draft, EventSentence, RuleValue, Sentence, ValueType } from './rule-model.ts'

export type RuleProblemCode =
  | 'choose_column'
  | 'unknown_column'
  | 'operator'
  | 'choose_value'
  | 'number'
  | 'range'
  | 'days'
  | 'choose_event'
  | 'unknown_event'
  | 'count'
  | 'property'
  | 'unknown_segment'
  | 'own_segment'
  | 'empty_group'

export interface RuleProblem {
  /** Sentence it belongs to; undefined for the rule as a whole. */
  sentenceId?: string
  code: RuleProblemCode
}

export interface RuleContext {
  typeOf(column: string): ValueType | undefined
  hasEvent(event: string): boolean
  hasSegment(segment: string): boolean
  /** The segment being edited, which its rule may not mention. */
  self?: string
}

/** Everything that keeps the rule from being saved, in reading order; empty when it may be. */
export function findProblems(draft: Draft, context: RuleContext): RuleProblem[] {
  return draft.sentences.flatMap((sentence) => problemsOf(sentence, context))
}

/** The first thing wrong with one sentence; a group's members answer for themselves. */
export function findProblem(sentence: Sentence, context: RuleContext): RuleProblemCode | undefined {
  if (sentence.kind === 'group') return sentence.sentences.length === 0 ? 'empty_group' : undefined
  if (sentence.kind === 'segment') {
    if (sentence.segment === context.self) return 'own_segment'
    return context.hasSegment(sentence.segment) ? undefined : 'unknown_segment'
  }
  if (sentence.kind === 'event') return problemOfEvent(sentence, context)
  if (!sentence.column) return 'choose_column'
  const type = context.typeOf(sentence.column)
  if (!type) return 'unknown_column'
  if (!acceptedOps[type].has(sentence.op)) return 'operator'
  return problemOfValue(sentence.op, sentence.value, numericTypes.has(type))
}

function problemsOf(sentence: Sentence, context: RuleContext): RuleProblem[] {
  const code = findProblem(sentence, context)
  const own = code ? [{ sentenceId: sentence.id, code }] : []
  return sentence.kind === 'group'
    ? [...own, ...sentence.sentences.flatMap((s) => problemsOf(s, context))]
    : own
}

function problemOfEvent(sentence: EventSentence, context: RuleContext): RuleProblemCode | undefined {
  if (!sentence.event) return 'choose_event'
  if (!context.hasEvent(sentence.event)) return 'unknown_event'
  if (!Number.isInteger(sentence.count.value) || sentence.count.value < 0) return 'count'
  if (sentence.within && !(Number.isInteger(sentence.within.days) && sentence.within.days > 0)) return 'days'
  for (const filter of sentence.where ?? []) {
    if (!filter.property) return 'property'
    const problem = problemOfValue(filter.op, filter.value, false)
    if (problem) return problem
  }
  return undefined
}

function problemOfValue(
  op: ColumnOp,
  value: RuleValue | undefined,
  numeric: boolean,
): RuleProblemCode | undefined {
  const shape = valueShape(op)
  if (shape === 'none') return undefined
  if (shape === 'range') {
    const [from, to] = valuesOf(value)
    if (!isNumber(from) || !isNumber(to)) return 'number'
    return from > to ? 'range' : undefined
  }
  if (shape === 'days') return isNumber(value) && Number.isInteger(value) && value > 0 ? undefined : 'days'
  if (shape === 'date') return isNumber(value) ? undefined : 'choose_value'
  if (valuesOf(value).length === 0) return numeric ? 'number' : 'choose_value'
  return numeric && shape === 'one' && !isNumber(value) ? 'number' : undefined
}

/** A rule may hold more than the picker offers, for instance what a report or the API wrote. */
const acceptedOps: Record<ValueType, ReadonlySet<ColumnOp>> = {
  text: new Set<ColumnOp>([...operatorsFor('text'), 'is', 'is_not']),
  label: new Set<ColumnOp>([...operatorsFor('label'), 'is', 'is_not']),
  number: new Set<ColumnOp>([...operatorsFor('number'), 'in', 'not_in']),
  integer: new Set<ColumnOp>([...operatorsFor('number'), 'in', 'not_in']),
  money: new Set<ColumnOp>([...operatorsFor('number'), 'in', 'not_in']),
  percent: new Set<ColumnOp>([...operatorsFor('number'), 'in', 'not_in']),
  duration: new Set<ColumnOp>([...operatorsFor('number'), 'in', 'not_in']),
  time: new Set<ColumnOp>([...operatorsFor('time'), 'gt', 'gte', 'lt', 'lte']),
  boolean: new Set<ColumnOp>([...operatorsFor('boolean'), 'is', 'is_not']),
}

const numericTypes: ReadonlySet<ValueType> = new Set<ValueType>([
  'number',
  'integer',
  'money',
  'time',
  'percent',
  'duration',
])
