import type { JourneyNode, StepStats } from '@huitou/admin-kit/api/journeys.ts'
import { expect, test } from 'vitest'
import { figuresOf } from './figures.ts'

const stat = (node: string, outcomes: Record<string, number>): StepStats => ({
  node,
  outcomes,
  entered: 0,
  waiting: 0,
  done: 0,
  left: 0,
})

test('each way of a step says how many took it, and none is counted twice', () => {
  const wait: JourneyNode = { type: 'wait_event', event: 'e', timeout: { hours: 1 } }
  const branch: JourneyNode = { type: 'branch', cases: [{}, {}] }
  const split: JourneyNode = {
    type: 'split',
    arms: [
      { name: 'A', weight: 1 },
      { name: 'B', weight: 1 },
    ],
  }
  const task: JourneyNode = {
    type: 'task',
    kind: 'call',
    title: 'Call',
    dueMinutes: 3,
    outcomes: { reached: 'x' },
    timeout: { days: 1 },
  }
  const figures = figuresOf([
    stat('$entry', { treated: 9, holdout: 1 }),
    stat('wait', { event: 4, timeout: 5 }),
    stat('branch', { 'case:1': 3, 'case:2': 1, otherwise: 2 }),
    stat('split', { 'arm:A': 7, 'arm:B': 6 }),
    stat('task', { 'done:reached': 2, 'done:later': 1, timeout: 8 }),
  ])
  const through = (id: string, node: JourneyNode, ...ports: string[]) =>
    ports.map((port) => figures.through(id, node, port))
  expect([figures.entered, figures.treated, figures.heldOut]).toEqual([10, 9, 1])
  expect(through('wait', wait, 'next', 'otherwise')).toEqual([4, 5])
  expect(through('branch', branch, 'case.0', 'case.1', 'otherwise')).toEqual([3, 1, 2])
  expect(through('split', split, 'arm.0', 'arm.1')).toEqual([7, 6])
  expect(through('task', task, 'outcome.reached', 'next', 'otherwise')).toEqual([2, 1, 8])
  expect(through('nobody', wait, 'next')).toEqual([0])
})
