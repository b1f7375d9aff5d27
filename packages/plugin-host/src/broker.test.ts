import { expect, test } from 'vitest'
import { authorise, matchesAny } from './broker.ts'

const plugin = {
  id: 'test.p',
  columnPrefix: 'p',
  permissions: { 'profile.read': ['commerce_*', 'key'], 'events.read': ['order.*'] },
}

test.each([
  { method: 'customers.read', query: { columns: ['commerce_orders', 'key', 'p_x'] } },
  {
    method: 'customers.aggregate',
    query: { groupBy: ['p_x'], measures: { n: { count: true }, s: { sum: 'commerce_spend' } } },
  },
  { method: 'events.perCustomer', query: { events: ['order.paid'] } },
  { method: 'log', query: { level: 'info', message: 'hello' } },
])('$method passes with what was granted', ({ method, query }) => {
  expect(() => authorise(plugin, method, [query])).not.toThrow()
})

test.each([
  {
    method: 'customers.read',
    query: { columns: ['key', 't_phone'] },
    name: 't_phone',
    permission: 'profile.read',
  },
  {
    method: 'customers.aggregate',
    query: { measures: { s: { max: 't_age' } } },
    name: 't_age',
    permission: 'profile.read',
  },
  {
    method: 'customers.aggregate',
    query: { measures: {}, having: ['t_age'] },
    name: 't_age',
    permission: 'profile.read',
  },
  {
    method: 'events.series',
    query: { events: ['order.paid', 'chat.sent'] },
    name: 'chat.sent',
    permission: 'events.read',
  },
])('$method is refused for $name', ({ method, query, name, permission }) => {
  expect(() => authorise(plugin, method, [query])).toThrow(
    expect.objectContaining({
      code: 'E_PERMISSION',
      status: 403,
      details: { pluginId: 'test.p', permission, name },
    }),
  )
})

test('a method nobody listed is refused', () => {
  expect(() => authorise(plugin, 'toString', [])).toThrow(
    expect.objectContaining({ code: 'E_UNKNOWN_EFFECT' }),
  )
})

test.each([
  ['a_*', 'a_b', true],
  ['a_*', 'b_a_', false],
  ['*', 'anything', true],
  ['a*b*c', 'a1b2c', true],
  ['a*b*c', 'ac', false],
  ['ab*ba', 'aba', false],
  ['a', 'ab', false],
] as const)('pattern %s and name %s: %s', (pattern, name, fits) => {
  expect(matchesAny([pattern], name)).toBe(fits)
})
