import { expect, test } from 'vitest'
import { readParameters, toParameters } from './parameters.ts'

const schema = {
  type: 'object',
  properties: {
    compare: { type: 'boolean', title: 'Compare', default: true, order: 2 },
    days: { type: 'integer', enum: [30, 90], enumTitles: ['a month', 'a quarter'], default: 90, order: 1 },
    until: { type: 'string', format: 'date', order: 3 },
  },
}

test('controls stand in the order of the schema and know their choices', () => {
  expect(
    toParameters(schema).map(({ name, kind, choices }) => [name, kind, choices.map((c) => c.title)]),
  ).toEqual([
    ['days', 'choice', ['a month', 'a quarter']],
    ['compare', 'switch', []],
    ['until', 'date', []],
  ])
})

test('the place wins over the default, and types come back as the schema has them', () => {
  expect(readParameters(toParameters(schema), {})).toEqual({ days: 90, compare: true })
  expect(readParameters(toParameters(schema), { days: '30', compare: 'false', until: '2026-11-19' })).toEqual(
    {
      days: 30,
      compare: false,
      until: '2026-11-19',
    },
  )
})
