import { expect, test } from 'vitest'
import schema from '../manifest.schema.json' with { type: 'json' }
import { contributionId } from './point-catalogue.ts'
import { findPoint, permissionCatalogue, pointCatalogue } from './index.ts'

const { contributions, permissions } = schema.$defs

test('every point is in the schema and in the catalogue', () => {
  expect(pointCatalogue.map(({ id }) => id).toSorted()).toEqual(
    Object.keys(contributions.properties).toSorted(),
  )
})

test('every permission is in the schema and in the catalogue', () => {
  expect(permissionCatalogue.map(({ id }) => id)).toEqual(Object.keys(permissions.properties))
  for (const { id, kind } of permissionCatalogue) {
    expect(permissions.properties[id].type).toBe(kind === 'list' ? 'array' : 'boolean')
  }
})

test('a point without an engine says what it comes with', () => {
  for (const { engine, comesWith } of pointCatalogue) {
    expect(comesWith === undefined).toBe(engine === 'now')
  }
  expect(findPoint('channels')).toMatchObject({ engine: 'now', activation: 'onChannel:<id>' })
  expect(findPoint('channel')).toBeUndefined()
})

/** Editors show it at the key, so each has to say what stands there. */
test('everything in the schema that an author writes is described', () => {
  const definitions = Object.entries(schema.$defs).flatMap(([name, definition]) =>
    Object.entries('properties' in definition ? definition.properties : {}).map(
      ([key, property]) => [`${name}.${key}`, property] as const,
    ),
  )
  const fields = [...Object.entries(schema.properties), ...definitions]
  const bare = fields.filter(([, field]) => !('description' in field)).map(([name]) => name)
  expect(bare).toEqual([])
})

test('what has no id of its own goes by what tells it apart', () => {
  expect(contributionId('events', { name: 'order.paid' })).toBe('order.paid')
  expect(contributionId('menus', { command: 'go', place: 'viewTitle' })).toBe('go@viewTitle')
  expect(contributionId('localizations', { locale: 'zh-TW', file: 'a.json' })).toBe('zh-TW')
  expect(contributionId('scorers', { id: 'rfm' })).toBe('rfm')
})
