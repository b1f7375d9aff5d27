import { expect, test } from 'vitest'
import { compareVersions, newerVersion } from './compare-versions.ts'

test('versions stand in the order that semantic versioning gives them', () => {
  const ordered = [
    '0.9.0',
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-beta.2',
    '1.0.0-beta.11',
    '1.0.0',
    '1.2.0',
    '1.10.0',
    '2.0.0',
  ]
  expect(ordered.toReversed().toSorted(compareVersions)).toEqual(ordered)
  expect(compareVersions('1.0.0+build', '1.0.0')).toBe(0)
})

test('the newest version counts, wherever it lies', () => {
  const versions = [{ version: '1.1.0' }, { version: '1.0.0' }]
  expect(newerVersion({ version: '1.0.0', versions, update: null })).toBe('1.1.0')
  expect(newerVersion({ version: '1.0.0', versions, update: { version: '1.10.0' } })).toBe('1.10.0')
  expect(newerVersion({ version: '1.1.0', versions, update: null })).toBeUndefined()
})
