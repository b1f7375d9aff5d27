import { expect, test } from 'vitest'
import { holds } from './when.ts'

const context = { role: 'agent', locale: 'zh-CN', canWrite: true, customer: null }

test.each([
  [undefined, true],
  ['', true],
  ['canWrite', true],
  ['!canWrite', false],
  ["role == 'agent'", true],
  ['role == owner', false],
  ['role != "owner" && canWrite', true],
  ["role == 'owner' || locale == 'zh-CN'", true],
  ["(role == 'owner' || canWrite) && !customer", true],
  ["!(role == 'agent')", false],
  ['toString', false],
  ['true', true],
])('%s holds: %s', (when, expected) => {
  expect(holds(when, context)).toBe(expected)
})

test.each(['role ==', '&& canWrite', '(canWrite', 'canWrite )', 'role = agent', 'alert(1)'])(
  'what cannot be read, %s, hides what it guards',
  (when) => {
    expect(holds(when, context)).toBe(false)
  },
)
