import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileSettings, fitsPlainly } from './settings.ts'

const schema = {
  type: 'object',
  properties: {
    days: { type: 'integer', minimum: 1, maximum: 90, default: 30, order: 1 },
    share: { type: 'number' },
    mode: { type: 'string', enum: ['fast', 'slow'], enumTitles: ['%fast%', '%slow%'] },
    on: { type: 'boolean', title: '%on%' },
    list: { type: 'array', items: { type: 'string' } },
    pattern: { type: 'string', pattern: '^a+$' },
  },
}
const names = [...Object.keys(schema.properties), 'unknown', '__proto__', 'toString']

test('what is said to fit without a close look does fit', () => {
  const resolve = compileSettings('test.a', schema)
  const value = fc.oneof(
    fc.integer({ min: -5, max: 100 }),
    fc.double(),
    fc.boolean(),
    fc.constantFrom('fast', 'aa', '', null),
    fc.array(fc.string()),
  )
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names), value), (values) => {
      if (fitsPlainly(schema, values)) expect(resolve(values)).toMatchObject(values)
    }),
  )
  expect(fitsPlainly(schema, { days: 7, mode: 'slow', on: false, share: 0.5 })).toBe(true)
  expect(fitsPlainly(schema, { days: 0 })).toBe(false)
  expect(fitsPlainly({ ...schema, required: ['days'] }, {})).toBe(false)
  expect(fitsPlainly(undefined, {})).toBe(true)
})

test('schemas with the same $id do not get in each other’s way', () => {
  const first = compileSettings('test.a', {
    $id: 'https://example.com/s',
    properties: { a: { type: 'string' } },
  })
  const second = compileSettings('test.b', {
    $id: 'https://example.com/s',
    properties: { b: { type: 'string' } },
  })
  expect(first({ a: 'x' })).toEqual({ a: 'x' })
  expect(second({ b: 'x' })).toEqual({ b: 'x' })
  expect(() => second({ a: 'x' })).toThrow(expect.objectContaining({ code: 'E_SETTINGS' }) as Error)
})

test('a pattern that would be tried for years is matched at once, and words about drawing are no mistake', () => {
  const resolve = compileSettings('test.shop', {
    properties: {
      name: { type: 'string', pattern: '^(a+)+$', 'x-row': 1 },
      price: { type: 'integer', format: 'money' },
    },
  })
  expect(() => resolve({ name: `${'a'.repeat(50)}!` })).toThrow('name is')
  expect(resolve({ name: 'aaa', price: 100 })).toEqual({ name: 'aaa', price: 100 })
})
