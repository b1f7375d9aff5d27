import { expect, test } from 'vitest'
import { opensAtNight, policyFaults } from './policy-model.ts'

const policy = {
  quietHours: { from: '21:00', to: '09:00' },
  caps: { perDay: 2, perWeek: 6, perChannelPerDay: { '*': 1 } },
  budgets: [],
  fatigue: { unopened: 3, pauseDays: 30 },
  consentNeeded: [],
}

test('every mistake stands beside its field', () => {
  expect(policyFaults(policy)).toEqual({})
  expect(
    policyFaults({
      ...policy,
      quietHours: { from: '25:00', to: '09:00' },
      caps: { perDay: 4, perWeek: 3, perChannelPerDay: { sms: 1.5 } },
      fatigue: { unopened: 0, pauseDays: 30 },
      choice: { rules: [{ name: '', rule: { all: [] }, channels: [] }], best: { atLeast: 0 } },
      budgets: [{ name: ' ', channels: [], per: 'day', limit: 1, scope: 'total' }],
    }),
  ).toEqual({
    from: 'time',
    perWeek: 'weekBelowDay',
    'channel.sms': 'limit',
    unopened: 'hundred',
    'choice.0': 'firstChannel',
    bestAtLeast: 'thousand',
    'budget.0.name': 'name',
    'budget.0.channels': 'channels',
  })
})

test.each([
  [{ from: '21:00', to: '08:00' }, false],
  [{ from: '20:00', to: '09:30' }, false],
  [{ from: '22:00', to: '08:00' }, true],
  [{ from: '21:00', to: '07:00' }, true],
  [{ from: '00:00', to: '08:00' }, true],
  [null, true],
])('quiet hours %j leave the night open: %s', (quietHours, open) => {
  expect(opensAtNight({ quietHours })).toBe(open)
})
