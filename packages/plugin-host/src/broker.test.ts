import { expect, test } from 'vitest'
import { authorise, matchesAny } from './broker.ts'

const plugin = {
  id: 'test.p',
  columnPrefix: 'p',
  permissions: {
    'profile.read': ['commerce_*', 'key'],
    'profile.pii': ['phone'],
    'events.read': ['order.*'],
    'events.append': ['loyalty.*'],
    network: ['api.example.com'],
    collections: ['other.plugin/cards'],
    secrets: true,
  },
}

test.each([
  { method: 'customers.read', query: { columns: ['commerce_orders', 'key', 'p_x'] } },
  {
    method: 'customers.aggregate',
    query: { groupBy: ['p_x'], measures: { n: { count: true }, s: { sum: 'commerce_spend' } } },
  },
  { method: 'events.perCustomer', query: { events: ['order.paid'] } },
  { method: 'log', query: { level: 'info', message: 'hello' } },
  { method: 'customers.read', query: { columns: ['t_phone'] } },
  { method: 'customers.find', query: { key: { identifier: { kind: 'phone', value: '1' } } } },
  { method: 'customers.find', query: { key: { id: 1 } } },
  { method: 'events.append', query: { events: [{ type: 'track', event: 'loyalty.earned' }] } },
  { method: 'fetch', query: { url: 'https://api.example.com/x', init: {} } },
  { method: 'collections.find', query: { collection: 'test.p/own' } },
  { method: 'collections.insert', query: { collection: 'other.plugin/cards', data: {} } },
  { method: 'secrets.get', query: { key: 'token' } },
  { method: 'extensions.list', query: { point: 'test.p/point/v1' } },
  { method: 'storage.set', query: { key: 'a', value: 1 } },
])('$method passes with what was granted', ({ method, query }) => {
  expect(() => authorise(plugin, method, [query])).not.toThrow()
})

test.each([
  {
    method: 'customers.read',
    query: { columns: ['key', 't_email'] },
    name: 't_email',
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
  {
    method: 'customers.find',
    query: { key: { identifier: { kind: 'email', value: 'a@b.c' } } },
    name: 'email',
    permission: 'profile.pii',
  },
  {
    method: 'customers.tag',
    query: { customerIds: [1], tag: 'vip' },
    name: 'customers.tag',
    permission: 'customers.tag',
  },
  {
    method: 'tasks.create',
    query: { key: '1', title: 'Call' },
    name: 'tasks.create',
    permission: 'tasks.create',
  },
  {
    method: 'events.append',
    query: { events: [{ type: 'identify' }] },
    name: 'profile.updated',
    permission: 'events.append',
  },
  {
    method: 'events.append',
    query: {
      events: [
        { type: 'track', event: 'loyalty.earned' },
        { type: 'track', event: 'order.paid' },
      ],
    },
    name: 'order.paid',
    permission: 'events.append',
  },
  {
    method: 'fetch',
    query: { url: 'https://evil.example/', init: {} },
    name: 'https://evil.example/',
    permission: 'network',
  },
  {
    method: 'collections.delete',
    query: { collection: 'test.other/own', id: '1' },
    name: 'test.other/own',
    permission: 'collections',
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
  ['customers.read', undefined],
  ['customers.read', {}],
  ['customers.aggregate', { measures: null }],
  ['fetch', 'https://api.example.com'],
  ['collections.find', { collection: 5 }],
  ['events.append', { events: 'all' }],
])('%s with %o is refused as no call at all', (method, query) => {
  expect(() => authorise(plugin, method, [query])).toThrow(
    expect.objectContaining({ code: expect.any(String) }),
  )
})

test('a point of another plugin has no contributors to tell of', () => {
  expect(() => authorise(plugin, 'extensions.call', [{ point: 'test.other/point/v1' }])).toThrow(
    expect.objectContaining({ code: 'E_UNDECLARED' }),
  )
})

test('secrets, tags and the like are not given by a list', () => {
  const tricky = { ...plugin, permissions: { secrets: ['*'], 'profile.read': true } as never }
  expect(() => authorise(tricky, 'secrets.get', [{ key: 'a' }])).toThrow(
    expect.objectContaining({ code: 'E_PERMISSION' }),
  )
  expect(() => authorise(tricky, 'customers.read', [{ columns: ['key'] }])).toThrow(
    expect.objectContaining({ code: 'E_PERMISSION' }),
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
