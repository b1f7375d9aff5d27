import { userError } from '@huitou/plugin-api'
import { expect, test } from 'vitest'
import { migrateSettings } from './stored-settings.ts'

const schema = (properties: Record<string, object>) => ({ type: 'object', properties })

/** Refuses numbers, naming the field as the host does. */
const noNumbers = (settings: Record<string, unknown>) => {
  const findings = Object.keys(settings)
    .filter((name) => typeof settings[name] === 'number')
    .map((name) => ({ path: `${name}.deep[0]` }))
  if (findings.length > 0) throw userError('E_SETTINGS', 'numbers', { details: { findings } })
}

test('settings go over as far as the new schema has a place for them', () => {
  const migrated = migrateSettings(
    { stays: 'a', gone: 'b', misfit: 3 },
    { from: undefined, to: schema({ stays: {}, misfit: {}, fresh: {} }), accepts: noNumbers },
  )
  expect(migrated).toEqual({ settings: { stays: 'a' }, dropped: { gone: 'b', misfit: 3 } })
})

test('a secret that is one no longer does not come into sight, and a word that becomes one does go over', () => {
  const secret = { secret: true }
  const migrated = migrateSettings(
    { token: 'canary', key: 'plain' },
    { from: schema({ token: secret, key: {} }), to: schema({ token: {}, key: secret }), accepts: () => {} },
  )
  expect(migrated).toEqual({ settings: { key: 'plain' }, dropped: { token: 'canary' } })
})
