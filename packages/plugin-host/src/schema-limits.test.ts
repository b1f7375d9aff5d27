import { expect, test } from 'vitest'
import type { JsonSchema } from '@huitou/plugin-api'
import { checkLimits } from './schema-limits.ts'

const fixesFor = (schema: unknown) =>
  checkLimits(schema as JsonSchema).map(({ path, fix }) => `${path}: ${fix}`)

/** `n` definitions, each of which looks twice at what the one before it looks at. */
function doubling(n: number): unknown {
  const twice = (at: number) => ({ allOf: [{ $ref: `#/$defs/a${at}` }, { $ref: `#/$defs/a${at}` }] })
  const names = Array.from({ length: n }, (_, at) => [
    `a${at}`,
    at === 0 ? { type: 'string' } : twice(at - 1),
  ])
  return { $defs: Object.fromEntries(names) as object, properties: { x: { $ref: `#/$defs/a${n - 1}` } } }
}

test('schemas that people write pass: choices, definitions, trees, conditions', () => {
  const town = (name: number) => ({ const: `town ${name}`, title: `%town.${name}%` })
  const schema = {
    type: 'object',
    $defs: {
      address: {
        type: 'object',
        properties: { town: { oneOf: Array.from({ length: 400 }, (_, n) => town(n)) } },
      },
      node: {
        properties: {
          name: { type: 'string', pattern: '^[\\p{L} ]+$' },
          left: { $ref: '#/$defs/node' },
          right: { $ref: '#/$defs/node' },
          children: { type: 'array', items: { $ref: '#/$defs/node' } },
        },
        additionalProperties: { $ref: '#/$defs/node' },
      },
    },
    properties: {
      home: { $ref: '#/$defs/address' },
      work: { $ref: '#/$defs/address' },
      tree: { $ref: '#/$defs/node' },
      words: { type: 'array', uniqueItems: true, items: { type: 'string' } },
      pair: { prefixItems: [{ $ref: '#/$defs/node' }, { $ref: '#/$defs/node' }] },
    },
    if: { required: ['home'] },
    then: { properties: { work: { minProperties: 1 } } },
  }
  expect(fixesFor(schema)).toEqual([])
})

test('what would make a schema accept anything, or lead out of it, is told with its place', () => {
  const node = {
    properties: { a: { $ref: '#' }, b: { $ref: 'https://example.com/x' }, c: { $ref: '#/title/0' } },
  }
  expect(fixesFor({ $async: true, ...node, items: { $id: 'other', $dynamicRef: '#x' } })).toEqual([
    '$async: remove $async: plugins cannot use it',
    'items.$dynamicRef: remove $dynamicRef: plugins cannot use it',
    'items.$id: remove $id: plugins cannot use it',
    ...['c', 'b', 'a'].map(
      (name) => `properties.${name}.$ref: name a definition of the same schema, such as #/$defs/address`,
    ),
  ])
})

test('what cannot be checked in proportion to the value is refused', () => {
  expect(fixesFor({ pattern: '(a)\\1', patternProperties: { '(?=x)': {} } })).toHaveLength(2)
  expect(fixesFor({ pattern: 'a'.repeat(2_000) })[0]).toContain('below 1000 characters')
  expect(fixesFor({ uniqueItems: true, items: { type: 'object' } })[0]).toContain('takes too long')
  expect(fixesFor({ properties: { a: { not: { uniqueItems: true } } } })[0]).toContain(
    'properties.a.not.uniqueItems',
  )
  expect(fixesFor(doubling(8))).toEqual([])
  expect(fixesFor(doubling(40))[0]).toContain('multiply through $ref')
  const again = { $ref: '#/$defs/node' }
  for (const node of [
    { properties: { a: { allOf: [again, again] } } },
    { properties: { a: again }, patternProperties: { '^a': again } },
    { items: again, contains: again },
    { allOf: [{ properties: { a: again } }, { additionalProperties: again }] },
    again,
  ])
    expect(fixesFor({ $defs: { node }, ...again })[0]).toContain('multiply through $ref')
  const deep = Array.from({ length: 200 }).reduce<object>((inner) => ({ properties: { a: inner } }), {})
  expect(fixesFor(deep)).toEqual([': nest no deeper than 60 levels'])
  const wide = Object.fromEntries(Array.from({ length: 30_000 }, (_, n) => [`p${n}`, { type: 'string' }]))
  expect(fixesFor({ properties: wide })).toEqual([': keep it below 20000 parts'])
})
