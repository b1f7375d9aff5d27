import type { ArmComparison } from '@huitou/admin-kit'
import { expect, test } from 'vitest'
import {
  axisOf,
  draftFaults,
  freeKey,
  newDraft,
  ratioOf,
  verdictOf,
  withJourney,
} from './experiment-model.ts'

const names = { a: 'A', b: 'B' }
const draft = newDraft(names)
const comparison = (p: number, anytime: number | null, estimate = 0.02): ArmComparison => ({
  arm: 'a',
  against: 'holdout',
  test: 'proportions',
  difference: { estimate, low: estimate - 0.01, high: estimate + 0.01 },
  relative: null,
  statistic: 2,
  df: null,
  p,
  pCorrected: p,
  anytime: anytime === null ? null : { low: -0.01, high: 0.05, p: anytime, pCorrected: anytime },
  incremental: null,
})

test('who peeks needs the wider interval; at the end the other counts', () => {
  const running = { alpha: 0.05, isOver: false }
  expect(verdictOf(comparison(0.01, 0.2), running)).toBe('same')
  expect(verdictOf(comparison(0.01, 0.02), running)).toBe('better')
  expect(verdictOf(comparison(0.01, null), running)).toBe('early')
  expect(verdictOf(comparison(0.01, 0.2, -0.02), { ...running, isOver: true })).toBe('worse')
})

test('an axis holds every interval and nought', () => {
  const { low, high } = axisOf([comparison(0.01, 0.2)])
  expect(low).toBeLessThan(-0.01)
  expect(high).toBeGreaterThan(0.05)
})

test('a draft says what is missing, and a journey brings its own arms', () => {
  expect(draftFaults('Gift', draft)).toEqual({})
  expect(draftFaults(' ', { ...draft, arms: [draft.arms[0]!], holdoutPercent: 0 })).toEqual({
    name: 'name',
    arms: 'few',
  })
  expect(withJourney(draft, 'j', names).arms).toEqual([{ key: 'treated', weight: 1 }])
  expect(freeKey(draft.arms, true)).toBe('c')
  expect(ratioOf(draft)).toBe(4.5)
})
