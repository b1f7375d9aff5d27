import { expect, test } from 'vitest'
import { mentionsOf, parseRule } from './rule.ts'

test('a rule that is nested or large beyond reason is refused before it is read', () => {
  let deep: object = { column: 'a', op: 'is_set' }
  for (let depth = 0; depth < 100_000; depth++) deep = { not: deep }
  expect(() => parseRule({ all: [deep] })).toThrow(/nested 12 deep/)
  const wide = { all: Array.from({ length: 500 }, () => ({ column: 'a', op: 'is_set' })) }
  expect(() => parseRule(wide)).toThrow(/200 parts/)
})

test('a malformed rule says where', () => {
  expect(() =>
    parseRule({
      all: [{ column: 'a', op: 'is', value: 1 }, { any: [{ event: 'x', count: { op: '>', value: 1 } }] }],
    }),
  ).toThrow(/malformed at all\.1\.any\.0\.count\.op/)
})

test('a rule mentions columns, events and segments, and whether time alone moves it', () => {
  const rule = parseRule({
    any: [
      { not: { segment: 's' } },
      { event: 'e', count: { op: '=', value: 0 } },
      { column: 'c', op: 'is_set' },
    ],
  })
  expect(mentionsOf(rule)).toEqual({
    columns: new Set(['c']),
    events: new Set(['e']),
    segments: new Set(['s']),
    time: false,
  })
  expect(mentionsOf({ column: 'c', op: 'before_days', value: 3 }).time).toBe(true)
})
