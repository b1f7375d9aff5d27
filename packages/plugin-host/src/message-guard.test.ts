import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkMessage, checkValue, readWireError } from './message-guard.ts'

const refused = expect.objectContaining({ code: 'E_PLUGIN_MESSAGE' }) as Error

test('JSON passes, whatever it says', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
      if (!JSON.stringify(value).includes('"__proto__"')) checkValue(value)
    }),
  )
})

test.each([
  ['a key that reaches a prototype', JSON.parse('{"a": [{"__proto__": 1}]}')],
  ['an expression', /x/],
  ['an object of a class', new (class Thing {})()],
  ['an error', new Error('x')],
])('%s does not pass', (_title, value) => {
  expect(() => checkValue(value)).toThrow(refused)
})

test('small data that unfolds into a lot does not pass, nor do circles and lists that are mostly holes', () => {
  let bomb: unknown = 'ha'
  for (let level = 0; level < 50; level++) bomb = [bomb, bomb]
  expect(() => checkValue(bomb)).toThrow(refused)
  const circle: unknown[] = []
  circle.push(circle)
  expect(() => checkValue(circle)).toThrow(refused)
  const holes: number[] = []
  holes[4_000_000_000] = 1
  expect(() => checkValue(holes)).toThrow(refused)
})

test('only messages of known kind and shape pass', () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      try {
        const { type } = checkMessage(value)
        expect(['request', 'cancel', 'answer', 'failure', 'notice']).toContain(type)
      } catch (error) {
        expect(error).toEqual(refused)
      }
    }),
  )
  expect(() => checkMessage({ type: 'answer', id: 0.5, value: 1 })).toThrow(refused)
  expect(() => checkMessage({ type: 'request', id: 1, method: {}, args: [] })).toThrow(refused)
  expect(checkMessage({ type: 'answer', id: 1, value: /x/ })).toMatchObject({ type: 'failure', id: 1 })
})

test('errors keep what is ours and nothing that is too long or out of range', () => {
  const error = {
    message: 'm',
    code: 'E_MINE',
    kind: 'user',
    hint: 'h',
    status: 404,
    details: { a: 1 },
    more: 'no',
  }
  expect(readWireError(error)).toEqual({
    message: 'm',
    code: 'E_MINE',
    kind: 'user',
    hint: 'h',
    status: 404,
    details: { a: 1 },
  })
  expect(readWireError({ ...error, status: 200, kind: 'root' })).toEqual({
    message: 'm',
    code: 'E_PLUGIN',
    kind: 'bug',
  })
  expect(readWireError({ ...error, details: { long: 'x'.repeat(10_000) } }).details).toBeUndefined()
  fc.assert(
    fc.property(fc.anything(), (value) => void expect(typeof readWireError(value).message).toBe('string')),
  )
})
