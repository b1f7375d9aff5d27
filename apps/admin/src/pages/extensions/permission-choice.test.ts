import { expect, test } from 'vitest'
import {
  countChoice,
  grantedChoice,
  permissionEntries,
  toggled,
  toGrants,
  wholeChoice,
} from './permission-choice.ts'

const asked = { network: ['api.example.com', '*.example.org'], schedule: true, 'profile.read': [], ai: false }

test('only what is asked for is listed, in the order of the catalogue', () => {
  expect(permissionEntries(asked).map(({ permission, names }) => [permission, names])).toEqual([
    ['network', ['api.example.com', '*.example.org']],
    ['schedule', []],
  ])
})

test('the whole choice grants what is asked for', () => {
  const entries = permissionEntries(asked)
  expect(toGrants(wholeChoice(entries))).toEqual({
    network: ['api.example.com', '*.example.org'],
    schedule: true,
  })
})

test('single names are ticked and cleared, a whole permission at once', () => {
  const entries = permissionEntries(asked)
  const network = entries[0]!
  const one = toggled(wholeChoice(entries), network, 'api.example.com')
  expect(toGrants(one)).toEqual({ network: ['*.example.org'], schedule: true })
  expect(countChoice(entries, one)).toEqual({ chosen: 2, all: 3 })
  expect(toggled(one, network)).toEqual(wholeChoice(entries))
  expect(toGrants(toggled(toggled(one, network), network))).toEqual({ schedule: true })
  expect(toGrants(toggled(one, entries[1]!))).toEqual({ network: ['*.example.org'] })
})

test('what is granted already is ticked', () => {
  const entries = permissionEntries(asked)
  const missing = [{ ...entries[0]!, names: ['*.example.org'] }]
  expect(grantedChoice(entries, missing)).toEqual({ network: ['api.example.com'], schedule: true })
})

test('what is chosen anew comes beside what stays', () => {
  expect(toGrants({ network: ['b.example'], ai: true }, { network: ['a.example'], schedule: true })).toEqual({
    network: ['a.example', 'b.example'],
    schedule: true,
    ai: true,
  })
})
