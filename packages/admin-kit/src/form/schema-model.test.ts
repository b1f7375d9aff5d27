import { expect, test } from 'vitest'
import { formFaults, formFields, toListEntry, toSubmit } from './schema-model.ts'

const schema = {
  type: 'object',
  required: ['days', 'secret'],
  properties: {
    note: { type: 'string', maxLength: 500 },
    days: { type: 'integer', minimum: 30, maximum: 365, order: 1 },
    method: {
      type: 'string',
      oneOf: [{ const: 'rank', title: { en: 'By rank', 'zh-CN': '按名次' } }, { const: 'fixed' }],
      order: 2,
    },
    scale: { type: 'integer', enum: [3, 5], enumTitles: { 3: 'three' }, order: 3 },
    limits: { type: 'array', items: { type: 'number', exclusiveMinimum: 0 }, minItems: 2, order: 4 },
    weights: { type: 'object', required: ['r'], properties: { r: { type: 'number', maximum: 1 } }, order: 5 },
    secret: { type: 'string', secret: true, minLength: 8, order: 6 },
    rules: { type: 'array', items: { type: 'object' }, order: 7 },
  },
}

test('fields stand in their order and know how they are drawn', () => {
  expect(formFields(schema).map((field) => [field.key, field.kind])).toEqual([
    ['days', 'integer'],
    ['method', 'choice'],
    ['scale', 'choice'],
    ['limits', 'list'],
    ['weights', 'group'],
    ['secret', 'secret'],
    ['rules', 'json'],
    ['note', 'longtext'],
  ])
})

test('an address and what keeps to a pattern are one line, however long', () => {
  const properties = {
    url: { type: 'string', format: 'uri', maxLength: 2000 },
    link: { type: 'string', pattern: '^.*$', maxLength: 500 },
    html: { type: 'string', contentMediaType: 'text/html', maxLength: 5000 },
  }
  expect(formFields({ type: 'object', properties }).map(({ kind }) => kind)).toEqual([
    'text',
    'text',
    'longtext',
  ])
})

test('choices come from oneOf with titles, or from enum', () => {
  const [, method, scale] = formFields(schema)
  expect(method!.choices).toEqual([
    { value: 'rank', title: { en: 'By rank', 'zh-CN': '按名次' } },
    { value: 'fixed', title: 'fixed' },
  ])
  expect(scale!.choices).toEqual([
    { value: 3, title: 'three' },
    { value: 5, title: '5' },
  ])
})

test('a fault names its path; a secret that is stored need not be typed again', () => {
  expect(formFaults(schema, { scale: 4, limits: [1], weights: { r: 2 } })).toEqual({
    days: { key: 'required' },
    scale: { key: 'enum' },
    limits: { key: 'minItems', limit: 2 },
    'weights.r': { key: 'maximum', limit: 1 },
  })
})

test.each([
  { value: 29, fault: 'minimum' },
  { value: 30, fault: undefined },
  { value: 365, fault: undefined },
  { value: 366, fault: 'maximum' },
  { value: 30.5, fault: 'integer' },
  { value: Number.NaN, fault: 'number' },
])('$value days: $fault', ({ value, fault }) => {
  expect(formFaults(schema, { days: value, weights: { r: 1 } })['days']?.key).toBe(fault)
})

test('numbers in a list obey the limits of an entry', () => {
  expect(formFaults(schema, { days: 30, weights: { r: 0 }, limits: [1, 0] })).toEqual({
    limits: { key: 'above', limit: 0 },
  })
})

test('what was left empty is not sent', () => {
  expect(toSubmit(schema, { days: 30, note: '', secret: '', weights: { r: undefined } })).toEqual({
    days: 30,
    weights: {},
  })
})

test('an entry of a number list has to be a number', () => {
  expect(toListEntry(schema.properties.limits, ' 2.5 ')).toBe(2.5)
  expect(toListEntry(schema.properties.limits, 'two')).toBeUndefined()
  expect(toListEntry({ items: { type: 'string' } }, ' 赠品 ')).toBe('赠品')
})
