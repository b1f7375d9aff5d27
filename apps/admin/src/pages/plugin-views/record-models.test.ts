import type { CollectionField } from '@huitou/admin-kit'
import { expect, test } from 'vitest'
import { daysAround, stepDate } from './calendar-model.ts'
import { presetsOf, readChosen, toRecordFilter, typedFilter } from './filter-model.ts'
import { changesOf } from './record-model.ts'

const kind = (name: CollectionField['kind']) => ({ kind: name })

test('a month is whole weeks from Monday', () => {
  const days = daysAround('2026-02-14', 'month')
  expect([days[0], days.at(-1), days.length]).toEqual(['2026-01-26', '2026-03-01', 35])
  expect(daysAround('2026-11-21', 'week')).toEqual([
    '2026-11-16',
    '2026-11-17',
    '2026-11-18',
    '2026-11-19',
    '2026-11-20',
    '2026-11-21',
    '2026-11-22',
  ])
  expect(stepDate('2026-01-31', 'month', 1)).toBe('2026-02-01')
  expect(stepDate('2026-01-31', 'week', -1)).toBe('2026-01-24')
})

test.each([
  ['money', '>9.9', { op: 'gt', value: 990 }],
  ['money', '5-9', { op: 'between', value: [500, 900] }],
  ['integer', '12', { op: 'is', value: 12 }],
  ['text', '破损', { op: 'contains', value: '破损' }],
  ['date', '2026-03-01', { op: 'is', value: '2026-03-01' }],
  ['date', 'soon', undefined],
  ['number', 'many', undefined],
] as const)('typed into a filter of %s, %s asks the right thing', (name, text, expected) => {
  expect(typedFilter(kind(name), text, 2)).toEqual(expected)
})

test('dates have ready answers', () => {
  const answers = presetsOf(kind('date'), '2026-03-01')
  expect(answers.map(({ key }) => key)).toEqual(['past', 'today', 'next7', 'last30', 'blank', 'filled'])
  expect(answers[2]?.filter.value).toEqual(['2026-03-01', '2026-03-08'])
})

test('filters come back from an address as far as they make sense', () => {
  const fields = [{ name: 'state' }] as CollectionField[]
  const text = JSON.stringify([
    { field: 'state', op: 'is', value: 'open' },
    { field: 'gone', op: 'is', value: 1 },
    7,
  ])
  expect(readChosen(text, fields)).toEqual([{ field: 'state', op: 'is', value: 'open' }])
  expect(readChosen('nonsense', fields)).toEqual([])
  expect(toRecordFilter([])).toBeUndefined()
})

test('a change holds what differs, and null for what was emptied', () => {
  expect(changesOf({ a: 1, b: [1], c: 'x' }, { a: 2, b: [1] })).toEqual({ a: 2, c: null })
})
