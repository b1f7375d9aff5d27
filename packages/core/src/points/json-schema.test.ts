import { expect, test } from 'vitest'
import { compileSchema } from './json-schema.ts'

const schema = (maximum: number) => ({
  $id: 'https://example.com/amount',
  type: 'object',
  properties: { amount: { type: 'integer', maximum, default: 1 } },
})

test('the same schema is compiled once, however often it is built; another under the same name is another', () => {
  const validate = compileSchema(schema(5))
  expect(compileSchema(schema(5))).toBe(validate)
  const wider = compileSchema(schema(50))
  expect([validate({ amount: 7 }), wider({ amount: 7 })]).toEqual([false, true])
})

test('defaults are filled in only where that is asked for', () => {
  const given = {}
  expect(compileSchema(schema(5))(given)).toBe(true)
  expect(given).toEqual({})
  expect(compileSchema(schema(5), { defaults: true })(given)).toBe(true)
  expect(given).toEqual({ amount: 1 })
})
