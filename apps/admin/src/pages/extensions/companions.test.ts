import type { Plugin } from '@huitou/admin-kit'
import { expect, test } from 'vitest'
import { comingAlong, toCompanionConsent } from './companions.ts'

const plugin = (id: string, decided = false) => ({ id, decided, companions: [] }) as unknown as Plugin

test('what is needed comes in any case, what is brought along unless somebody says no, what runs not again', () => {
  const kit = {
    ...plugin('kit'),
    companions: [
      { id: 'base', relation: 'needs', state: 'off' },
      { id: 'extra', relation: 'brings', state: 'off' },
      { id: 'other', relation: 'brings', state: 'off' },
      { id: 'runs', relation: 'needs', state: 'on' },
      { id: 'gone', relation: 'needs', state: 'missing' },
    ],
  } as Plugin
  const all = ['base', 'extra', 'other', 'runs'].map((id) => plugin(id, id === 'base'))
  const choice = {
    base: { wanted: false, decision: undefined },
    extra: { wanted: true, decision: 'once' as const },
    other: { wanted: false, decision: undefined },
  }
  const coming = comingAlong(kit, all, choice)
  expect(coming.map(({ id }) => id)).toEqual(['base', 'extra'])
  // What was decided before stays as it is.
  expect(toCompanionConsent(coming, choice)).toEqual({
    base: {},
    extra: { grants: 'all', allowUnsigned: true },
  })
})
