import { expect, test } from 'vitest'
import { connect, insertStep, removeStep, replaceStep } from './edits.ts'
import { diffJourney } from './diff.ts'
import { blankJourney, newStep } from './new-steps.ts'
import { TRIGGER } from './ports.ts'

const begin = { channel: 'c', action: 'a', event: 'e', tag: 't', task: 'x' }
const step = (type: 'wait' | 'send' | 'branch') => newStep(type, { ...begin, arms: ['A', 'B'] })
const before = insertStep(blankJourney('e'), { node: TRIGGER, port: 'next' }, step('wait')).definition
const kinds = (after: typeof before) =>
  diffJourney(before, after).map((change) =>
    change.kind === 'setting' ? change.part : `${change.kind} ${change.id}`,
  )

test('nothing changed is no difference, in whatever order properties stand', () => {
  const turned = JSON.parse(JSON.stringify(before), (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toReversed())
      : value,
  ) as typeof before
  expect(kinds(turned)).toEqual([])
})

test('a step that is new, gone, another one, or leads elsewhere is named', () => {
  expect(kinds(insertStep(before, { node: 'wait', port: 'next' }, step('send')).definition)).toEqual([
    'led wait',
    'added send',
  ])
  expect(kinds(removeStep(before, 'wait').definition)).toEqual(['start', 'removed wait'])
  expect(kinds(replaceStep(before, 'wait', { type: 'wait', for: { hours: 2 }, next: 'end' }))).toEqual([
    'changed wait',
  ])
  expect(kinds(connect(before, { node: 'wait', port: 'next' }, undefined))).toEqual(['led wait'])
})

test('settings are named one by one', () => {
  expect(kinds({ ...before, holdout: { percent: 0 }, reentry: 'once' })).toEqual(['reentry', 'holdout'])
})
