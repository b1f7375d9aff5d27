import fc from 'fast-check'
import { expect, test } from 'vitest'
import { evaluateWhen, parseWhen } from './when.ts'

const scope = { role: 'owner', customer: { masked: false, orders: 3 }, 'view.id': 'notes', locale: 'zh-CN' }

test.each([
  { clause: 'role', holds: true },
  { clause: '!customer.masked', holds: true },
  { clause: "role == 'owner'", holds: true },
  { clause: 'role != "owner"', holds: false },
  { clause: "role == 'owner' && customer.orders >= 3", holds: true },
  { clause: 'customer.orders > 3 || customer.orders < 0', holds: false },
  { clause: "view.id in ['notes', 'tasks']", holds: true },
  { clause: "locale in ['en']", holds: false },
  { clause: "!(role == 'owner' && customer.masked)", holds: true },
  { clause: "customer.masked == false && (role == 'viewer' || locale == 'zh-CN')", holds: true },
  { clause: 'nobody', holds: false },
  { clause: "nobody == 'x'", holds: false },
  { clause: 'constructor', holds: false },
  { clause: "role > 3 || role <= 'p'", holds: true },
  { clause: "inbox == 'x'", holds: false },
])('"$clause" is $holds', ({ clause, holds }) => {
  expect(evaluateWhen(clause, scope)).toBe(holds)
})

test.each([
  { clause: '', wanted: 'its end where a key' },
  { clause: 'role ==', wanted: 'its end where a value' },
  { clause: "role = 'owner'", wanted: 'cannot be read from "= \'owner\'" on' },
  { clause: '(role', wanted: 'its end where ")"' },
  { clause: 'role customer', wanted: '"customer" at 6 where "&&" or "||"' },
  { clause: "role in 'owner'", wanted: '"\'owner\'" at 9 where "["' },
  { clause: "role == 'owner", wanted: 'cannot be read from' },
  { clause: "role == 'owner' &&", wanted: 'its end where a key' },
  { clause: 'process.exit()', wanted: 'where' },
])('"$clause" cannot be read, and it says where', ({ clause, wanted }) => {
  expect(() => parseWhen(clause)).toThrow(expect.objectContaining({ code: 'E_WHEN' }))
  expect(() => parseWhen(clause)).toThrow(wanted)
})

test('whatever stands in a clause, it is read or refused with a reason, and reading it says yes or no', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '&&',
      '||',
      '!',
      '(',
      ')',
      '[',
      ']',
      ',',
      '==',
      '!=',
      '<',
      '>=',
      'in',
      'role',
      'a.b',
      "'x'",
      '3',
      'true',
    ),
    fc.string({ maxLength: 4 }),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 200 }), (pieces) => {
      const clause = pieces.join(' ')
      try {
        expect(typeof evaluateWhen(clause, scope)).toBe('boolean')
      } catch (error) {
        expect(error).toMatchObject({ code: 'E_WHEN' })
      }
    }),
  )
  expect(() => parseWhen('('.repeat(100_000))).toThrow(expect.objectContaining({ code: 'E_WHEN' }))
})
