import type { Permissions } from '@huitou/plugin-api'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decideGrants, difference, intersection, isNothing, toEntries } from './consent.ts'

const names = fc.subarray(['a_one', 'a_two', 'b_one', 'a_*', '*', 'b_*e'])
const permissions: fc.Arbitrary<Permissions> = fc.record(
  { 'profile.read': names, network: names, secrets: fc.boolean(), 'customers.tag': fc.boolean() },
  { requiredKeys: [] },
)

test('what is within and what is beyond make up all that is asked, and share nothing', () => {
  fc.assert(
    fc.property(permissions, permissions, (asked, granted) => {
      const beyond = difference(asked, granted)
      const within = intersection(asked, granted)
      expect(isNothing(difference(asked, asked))).toBe(true)
      expect(isNothing(intersection(beyond, granted))).toBe(true)
      expect(isNothing(difference(within, granted))).toBe(true)
      for (const name of ['profile.read', 'network'] as const)
        expect([...(beyond[name] ?? []), ...(within[name] ?? [])].toSorted()).toEqual(
          [...(asked[name] ?? [])].toSorted(),
        )
    }),
  )
})

test('nothing is ever granted beyond what a version asks for', () => {
  const decision = { pluginId: 'p', version: '2' }
  fc.assert(
    fc.property(
      permissions,
      permissions,
      permissions,
      fc.option(permissions),
      (asked, decided, granted, says) => {
        let given: Permissions
        try {
          given = decideGrants({ ...decision, asked, decided, granted, says: says ?? undefined })
        } catch {
          return
        }
        expect(isNothing(difference(given, asked))).toBe(true)
      },
    ),
  )
})

test('a pattern covers names and narrower patterns, never wider ones', () => {
  const read = (...list: string[]): Permissions => ({ 'profile.read': list })
  expect(difference(read('commerce_spend', 'commerce_o*', 'commerce_*'), read('commerce_*'))).toEqual({})
  expect(difference(read('*', 'commerce*', 'com*'), read('commerce_*'))).toEqual(
    read('*', 'commerce*', 'com*'),
  )
  expect(difference({ network: ['*.example.com'] }, { network: ['api.example.com'] })).toEqual({
    network: ['*.example.com'],
  })
})

test('entries come in plain words of both languages and name the version that asks first', () => {
  const [entry] = toEntries({ 'profile.pii': ['phone'], secrets: false, network: [] }, '2.0.0')
  expect(entry).toMatchObject({ permission: 'profile.pii', names: ['phone'], since: '2.0.0' })
  expect(entry?.title).toEqual({ en: 'Read personal data in clear', 'zh-CN': '读取个人信息原文' })
  expect(toEntries({ secrets: false, network: [] })).toEqual([])
})
