import { expect, test } from 'vitest'
import { clockState, clockTone, countdown, remainingAt } from './task-clock.ts'

const task = {
  remainingBusinessMs: 180_000,
  slaMs: 180_000,
  clock: { running: true, changesAt: 60_000 },
  endedAt: null,
  pausedUntil: null,
  dueAt: 0,
  overdue: false,
}

test('time runs until people stop working, and stands from then on', () => {
  expect(remainingAt(task, 0, 30_000)).toBe(150_000)
  expect(remainingAt(task, 0, 500_000)).toBe(120_000)
  expect(remainingAt({ ...task, clock: { running: false, changesAt: 60_000 } }, 0, 30_000)).toBe(180_000)
})

test('what the clock says is a word as well as a colour', () => {
  expect(clockState(task, 10)).toBe('running')
  expect(clockState(task, -1)).toBe('overdue')
  expect(clockState({ ...task, pausedUntil: 9 }, -1)).toBe('paused')
  expect(clockState({ ...task, clock: { running: false, changesAt: 1 } }, 10)).toBe('standing')
  expect(clockTone('running', 0.2)).toBe('warning')
  expect(clockTone('overdue', 0)).toBe('danger')
})

test.each([
  [108_000, '1:48'],
  [-3_000, '0:03'],
  [3_600_000, undefined],
])('%d ms are read as %s', (ms, text) => expect(countdown(ms)).toBe(text))
