import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addSentence, findSentence, moveSentence, moveSentenceBefore, replaceSentence } from './rule-edits.ts'
import {
  newColumnSentence,
  newEventSentence,
  newGroup,
  operatorsFor,
  ruleBehind,
  sameRule,
  toCountableRule,
  toDraft,
  toRule,
  withOperator,
  withValues,
} from './rule-model.ts'
import type { Draft, Rule, RuleNode, Sentence, ValueType } from './rule-model.ts'
import { findProblem, findProblems } from './rule-problems.ts'
import type { RuleContext } from './rule-problems.ts'

const columnOps = [
  'is',
  'is_not',
  'in',
  'not_in',
  'contains',
  'not_contains',
  'starts_with',
  'gt',
  'gte',
  'lt',
  'lte',
  'between',
  'is_set',
  'is_not_set',
  'within_days',
  'before_days',
  'on_or_after',
  'before',
  'true',
  'false',
] as const
const scalar = fc.oneof(fc.integer(), fc.string({ minLength: 1 }))
const value = fc.option(fc.oneof(scalar, fc.array(scalar, { maxLength: 4 })), { nil: undefined })
const { node } = fc.letrec<{ node: RuleNode; group: Rule; leaf: RuleNode }>((tie) => ({
  leaf: fc.oneof(
    fc
      .record({ column: fc.string({ minLength: 1 }), op: fc.constantFrom(...columnOps), value })
      .map(({ value: given, ...rest }) => (given === undefined ? rest : { ...rest, value: given })),
    fc.record({ segment: fc.uuid() }),
    fc.record(
      {
        event: fc.constantFrom('order.paid', 'product.viewed'),
        count: fc.record({
          op: fc.constantFrom('>=' as const, '<=' as const, '=' as const),
          value: fc.nat(99),
        }),
        within: fc.record({ days: fc.integer({ min: 1, max: 730 }) }),
        where: fc.array(
          fc.record({
            property: fc.string({ minLength: 1 }),
            op: fc.constantFrom(...columnOps),
            value: scalar,
          }),
          { minLength: 1, maxLength: 2 },
        ),
      },
      { requiredKeys: ['event', 'count'] },
    ),
  ),
  group: fc.oneof(
    fc.array(tie('node'), { maxLength: 3 }).map((all): Rule => ({ all })),
    fc.array(tie('node'), { maxLength: 3 }).map((any): Rule => ({ any })),
  ),
  node: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    tie('leaf'),
    tie('group'),
    fc.oneof(tie('leaf'), tie('group')).map((inner): RuleNode => ({ not: inner })),
  ),
}))
const rule: fc.Arbitrary<Rule> = fc.oneof(
  fc.array(node, { maxLength: 4 }).map((all): Rule => ({ all })),
  fc.array(node, { maxLength: 4 }).map((any): Rule => ({ any })),
)

describe('a rule and its sentences', () => {
  test('a rule read as sentences and written again is the same rule', () => {
    fc.assert(
      fc.property(rule, (given) => {
        expect(toRule(toDraft(given))).toEqual(given)
      }),
    )
  })

  test('sentences have ids of their own', () => {
    fc.assert(
      fc.property(rule, (given) => {
        const ids = idsOf(toDraft(given).sentences)
        expect(new Set(ids).size).toBe(ids.length)
      }),
    )
  })

  test('two negations cancel each other', () => {
    const column: RuleNode = { column: 'city', op: 'is_set' }
    expect(toRule(toDraft({ all: [{ not: { not: column } }] }))).toEqual({ all: [column] })
  })

  test('an unfinished sentence is left out of what is counted, and so is a group left empty by it', () => {
    const done = newEventSentence('order.paid')
    const half = newColumnSentence('city', 'text')
    const draft: Draft = { join: 'all', sentences: [half, newGroup('any', [half]), done] }
    const countable = toCountableRule(draft, (sentence) => findProblem(sentence, context) === undefined)
    expect(countable).toEqual({
      rule: { all: [toRule({ join: 'all', sentences: [done] })].flatMap(membersOf) },
      sentenceIds: [done.id],
    })
  })

  test('the customers behind a number are "one of" for lists and "equal" for plain values', () => {
    expect(ruleBehind({ rfm_r: 5, rfm_segment: ['champions', 'loyal'], subscribed: false })).toEqual({
      all: [
        { column: 'rfm_r', op: 'is', value: 5 },
        { column: 'rfm_segment', op: 'in', value: ['champions', 'loyal'] },
        { column: 'subscribed', op: 'false' },
      ],
    })
    expect(
      sameRule(ruleBehind({ all: [{ column: 'a', op: 'is_set' }] }), {
        all: [{ column: 'a', op: 'is_set' }],
      }),
    ).toBe(true)
  })
})

describe('editing', () => {
  const [first, second, inner] = [event('a'), event('b'), event('c')]
  const group = newGroup('any', [inner])
  const draft: Draft = { join: 'all', sentences: [first, group, second] }

  test('a sentence moves among its neighbours and stops at the ends', () => {
    expect(namesOf(moveSentence(draft, second.id, -2))).toEqual(['b', 'a', ['c']])
    expect(namesOf(moveSentence(draft, second.id, 5))).toEqual(['a', ['c'], 'b'])
  })

  test('a sentence can be dragged into a group, but a group not into itself', () => {
    expect(namesOf(moveSentenceBefore(draft, second.id, inner.id))).toEqual(['a', ['b', 'c']])
    expect(moveSentenceBefore(draft, group.id, inner.id)).toBe(draft)
  })

  test('sentences are added to and taken out of groups', () => {
    const more = addSentence(draft, event('d'), group.id)
    expect(namesOf(more)).toEqual(['a', ['c', 'd'], 'b'])
    expect(namesOf(replaceSentence(more, inner.id, undefined))).toEqual(['a', ['d'], 'b'])
    expect(findSentence(draft, inner.id)).toBe(inner)
  })

  test('changing the operator keeps what was typed where it still means something', () => {
    const one = { column: 'spend', op: 'gte' as const, value: 500 }
    expect(withOperator(one, 'lte')).toEqual({ ...one, op: 'lte' })
    expect(withOperator(one, 'between')).toEqual({ ...one, op: 'between', value: [500, 500] })
    expect(withOperator(one, 'is_set')).toEqual({ column: 'spend', op: 'is_set' })
    expect(withValues({ column: 'city', op: 'is', value: '上海' }, ['上海', '杭州'])).toEqual({
      column: 'city',
      op: 'in',
      value: ['上海', '杭州'],
    })
  })
})

describe('what keeps a rule from being saved', () => {
  test.each([
    [{ column: '', op: 'is_set' }, 'choose_column'],
    [{ column: 'gone', op: 'is_set' }, 'unknown_column'],
    [{ column: 'city', op: 'within_days', value: 3 }, 'operator'],
    [{ column: 'city', op: 'in', value: [] }, 'choose_value'],
    [{ column: 'spend', op: 'gte' }, 'number'],
    [{ column: 'spend', op: 'between', value: [9, 1] }, 'range'],
    [{ column: 'seen', op: 'within_days', value: 0 }, 'days'],
    [{ event: 'order.paid', count: { op: '>=', value: 1.5 } }, 'count'],
    [{ event: 'order.paid', count: { op: '>=', value: 1 }, within: { days: 0 } }, 'days'],
    [{ event: 'nothing', count: { op: '>=', value: 1 } }, 'unknown_event'],
    [{ segment: 's7' }, 'own_segment'],
    [{ segment: 's9' }, 'unknown_segment'],
    [{ all: [] }, 'empty_group'],
  ] as [RuleNode, string][])('%j is refused as %s', (given, code) => {
    const draft = toDraft({ all: [{ not: given }] })
    expect(findProblems(draft, context)).toEqual([{ sentenceId: draft.sentences[0]!.id, code }])
  })

  test('every operator offered for a type is accepted for it once a value stands there', () => {
    const types: ValueType[] = ['text', 'label', 'number', 'integer', 'money', 'time', 'boolean']
    for (const type of types) {
      for (const op of operatorsFor(type)) {
        const empty = withOperator(newColumnSentence('x', type), op)
        expect([undefined, 'number', 'choose_value', 'days']).toContain(findProblem(empty, contextOf(type)))
      }
    }
  })
})

const context: RuleContext = {
  typeOf: (column) => ({ city: 'text', spend: 'money', seen: 'time' } as Record<string, ValueType>)[column],
  hasEvent: (name) => name === 'order.paid',
  hasSegment: (id) => id === 's7' || id === 's8',
  self: 's7',
}

function contextOf(type: ValueType): RuleContext {
  return { ...context, typeOf: () => type }
}

function event(name: string): Sentence {
  return newEventSentence(name)
}

function membersOf(given: Rule): RuleNode[] {
  return 'all' in given ? given.all : given.any
}

function idsOf(sentences: Sentence[]): string[] {
  return sentences.flatMap((s) => [s.id, ...(s.kind === 'group' ? idsOf(s.sentences) : [])])
}

type Names = (string | Names)[]
function namesOf({ sentences }: { sentences: Sentence[] }): Names {
  return sentences.map((s) => (s.kind === 'group' ? namesOf(s) : s.kind === 'event' ? s.event : s.kind))
}
