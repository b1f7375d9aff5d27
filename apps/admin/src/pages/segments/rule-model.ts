import type { ColumnOp, Rule, RuleNode, RuleValue } from '@huitou/admin-kit/api/segments.ts'

export type { ColumnOp, Rule, RuleNode, RuleValue }
export type ValueType =
  | 'text'
  | 'number'
  | 'integer'
  | 'money'
  | 'time'
  | 'boolean'
  | 'label'
  | 'percent'
  | 'duration'
export type CountOp = '>=' | '<=' | '='
export type ColumnNode = Extract<RuleNode, { column: string }>
export type EventNode = Extract<RuleNode, { event: string }>
export type SegmentNode = Extract<RuleNode, { segment: string }>
export type PropertyFilter = NonNullable<EventNode['where']>[number]

export type Join = 'all' | 'any'
interface SentenceBase {
  /** Only for the screen: never written into the rule. */
  id: string
  /** "But not": customers of whom the rest is true are left out. */
  negated: boolean
}
export interface ColumnSentence extends SentenceBase, ColumnNode {
  kind: 'column'
}
export interface EventSentence extends SentenceBase, EventNode {
  kind: 'event'
}
export interface SegmentSentence extends SentenceBase, SegmentNode {
  kind: 'segment'
}
export interface GroupSentence extends SentenceBase {
  kind: 'group'
  join: Join
  sentences: Sentence[]
}
export type Sentence = ColumnSentence | EventSentence | SegmentSentence | GroupSentence
/** The rule as it is edited: sentences in an order, each with an identity of its own. */
export interface Draft {
  join: Join
  sentences: Sentence[]
}

/** Turns a stored rule into sentences. Two negations in a row cancel each other. */
export function toDraft(rule: Rule | undefined): Draft {
  if (!rule) return { join: 'all', sentences: [] }
  const { join, nodes } = membersOf(rule)
  return { join, sentences: nodes.map((node) => toSentence(node, false)) }
}

/** Turns sentences into the rule that the server stores. */
export function toRule(draft: Draft): Rule {
  return toGroup(draft.join, draft.sentences.map(toNode))
}

/**
 * The rule of the sentences that are complete, and for each of its top members the sentence it came from, so that
 * a count can be asked for while one sentence is still half written.
 */
export function toCountableRule(draft: Draft, isComplete: (sentence: Sentence) => boolean): CountableRule {
  const kept = keepComplete(draft.sentences, isComplete)
  return { rule: toGroup(draft.join, kept.map(toNode)), sentenceIds: kept.map((sentence) => sentence.id) }
}

export interface CountableRule {
  rule: Rule
  sentenceIds: string[]
}

/** True when both drafts say the same, whatever their sentences' ids. */
export function sameRule(one: Rule, other: Rule): boolean {
  return JSON.stringify(toRule(toDraft(one))) === JSON.stringify(toRule(toDraft(other)))
}

/** Customers behind a number of a report, as a rule: lists mean "one of", plain values mean "equal". */
export function ruleBehind(behind: Readonly<Record<string, unknown>>): Rule {
  if (Array.isArray(behind['all']) || Array.isArray(behind['any'])) return behind as unknown as Rule
  return {
    all: Object.entries(behind).map(([column, value]): ColumnNode => {
      if (typeof value === 'boolean') return { column, op: value ? 'true' : 'false' }
      if (Array.isArray(value)) return { column, op: 'in', value: value as (string | number)[] }
      return { column, op: 'is', value: value as string | number }
    }),
  }
}

/**
 * Operators a person may choose for a column of this type, most useful first. Of one that is encrypted in the database
 * nobody can ask for parts.
 */
export function operatorsFor(type: ValueType, sealed = false): ColumnOp[] {
  const offered = operatorsByType[type]
  return sealed ? offered.filter((op) => !/contains|starts_with/.test(op)) : offered
}

/** What has to be typed in after an operator. */
export type ValueShape = 'none' | 'one' | 'many' | 'range' | 'days' | 'date'

export function valueShape(op: ColumnOp): ValueShape {
  return shapes[op]
}

/** A new condition on `column`, with the operator and the value one most likely wants. */
export function newColumnSentence(column: string, type: ValueType, negated = false): ColumnSentence {
  const op = operatorsFor(type)[0]!
  return { id: newId(), negated, kind: 'column', column, op, ...valueAfter(undefined, op) }
}

export function newEventSentence(event: string, negated = false): EventSentence {
  return { id: newId(), negated, kind: 'event', event, count: { op: '>=', value: 1 }, within: { days: 90 } }
}

export function newSegmentSentence(segment: string, negated = false): SegmentSentence {
  return { id: newId(), negated, kind: 'segment', segment }
}

export function newGroup(join: Join, sentences: Sentence[] = [], negated = false): GroupSentence {
  return { id: newId(), negated, kind: 'group', join, sentences }
}

/** The same condition under another operator; keeps what was typed where that still means something. */
export function withOperator<T extends { op: ColumnOp; value?: RuleValue }>(condition: T, op: ColumnOp): T {
  const { value, ...rest } = condition
  return { ...rest, op, ...valueAfter({ op: condition.op, value }, op) } as T
}

/** The same condition with these chosen values; a condition written as "equals" becomes "one of". */
export function withValues<T extends { op: ColumnOp; value?: RuleValue }>(
  condition: T,
  values: (string | number)[],
): T {
  const op = condition.op === 'is' ? 'in' : condition.op === 'is_not' ? 'not_in' : condition.op
  return { ...condition, op, value: values }
}

/** Chosen values, whether the rule writes one or a list. */
export function valuesOf(value: RuleValue | undefined): (string | number)[] {
  if (value === undefined || value === null || value === '' || typeof value === 'boolean') return []
  return Array.isArray(value) ? value : [value]
}

const numberOps: ColumnOp[] = ['gte', 'lte', 'between', 'is', 'is_not', 'gt', 'lt', 'is_set', 'is_not_set']

const operatorsByType: Record<ValueType, ColumnOp[]> = {
  text: ['in', 'not_in', 'contains', 'not_contains', 'starts_with', 'is_set', 'is_not_set'],
  label: ['in', 'not_in', 'is_set', 'is_not_set'],
  number: numberOps,
  integer: numberOps,
  money: numberOps,
  percent: numberOps,
  duration: numberOps,
  time: ['within_days', 'before_days', 'on_or_after', 'before', 'between', 'is_set', 'is_not_set'],
  boolean: ['true', 'false', 'is_set', 'is_not_set'],
}

const shapes: Record<ColumnOp, ValueShape> = {
  is: 'one',
  is_not: 'one',
  in: 'many',
  not_in: 'many',
  contains: 'one',
  not_contains: 'one',
  starts_with: 'one',
  gt: 'one',
  gte: 'one',
  lt: 'one',
  lte: 'one',
  between: 'range',
  is_set: 'none',
  is_not_set: 'none',
  true: 'none',
  false: 'none',
  within_days: 'days',
  before_days: 'days',
  on_or_after: 'date',
  before: 'date',
}

function valueAfter(
  before: { op: ColumnOp; value: RuleValue | undefined } | undefined,
  op: ColumnOp,
): { value?: RuleValue } {
  const shape = valueShape(op)
  const was = before && valueShape(before.op)
  if (shape === 'none') return {}
  if (before && was === shape) return before.value === undefined ? {} : { value: before.value }
  if (shape === 'days') return { value: 30 }
  if (shape === 'many') return { value: was === 'one' ? valuesOf(before?.value) : [] }
  if (shape === 'one' && was === 'many') return valuesOf(before?.value).slice(0, 1).reduce(toValue, {})
  if (shape === 'range' && was === 'one' && isNumber(before?.value))
    return { value: [before.value, before.value] }
  if (shape === 'one' && was === 'range') return valuesOf(before?.value).slice(0, 1).reduce(toValue, {})
  return {}
}

function toValue(_: { value?: RuleValue }, value: string | number): { value?: RuleValue } {
  return { value }
}

function toSentence(node: RuleNode, negated: boolean): Sentence {
  if ('not' in node) return toSentence(node.not, !negated)
  const base = { id: newId(), negated }
  if ('column' in node) return { ...base, kind: 'column', ...node }
  if ('event' in node) return { ...base, kind: 'event', ...node }
  if ('segment' in node) return { ...base, kind: 'segment', ...node }
  const { join, nodes } = membersOf(node)
  return { ...base, kind: 'group', join, sentences: nodes.map((member) => toSentence(member, false)) }
}

function toNode(sentence: Sentence): RuleNode {
  const node = toPlainNode(sentence)
  return sentence.negated ? { not: node } : node
}

function toPlainNode(sentence: Sentence): RuleNode {
  if (sentence.kind === 'group') return toGroup(sentence.join, sentence.sentences.map(toNode))
  if (sentence.kind === 'segment') return { segment: sentence.segment }
  if (sentence.kind === 'column') {
    const { column, op, value } = sentence
    return value === undefined ? { column, op } : { column, op, value }
  }
  const { event, where, count, within } = sentence
  return { event, ...(where?.length ? { where } : {}), count, ...(within ? { within } : {}) }
}

function toGroup(join: Join, nodes: RuleNode[]): Rule {
  return join === 'all' ? { all: nodes } : { any: nodes }
}

function membersOf(rule: RuleNode): { join: Join; nodes: RuleNode[] } {
  if ('all' in rule) return { join: 'all', nodes: rule.all }
  if ('any' in rule) return { join: 'any', nodes: rule.any }
  return { join: 'all', nodes: [rule] }
}

function keepComplete(sentences: Sentence[], isComplete: (sentence: Sentence) => boolean): Sentence[] {
  return sentences.flatMap((sentence): Sentence[] => {
    if (sentence.kind !== 'group') return isComplete(sentence) ? [sentence] : []
    const members = keepComplete(sentence.sentences, isComplete)
    return members.length > 0 ? [{ ...sentence, sentences: members }] : []
  })
}

export function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

let lastId = 0
function newId(): string {
  lastId += 1
  return `sentence-${lastId}`
}
