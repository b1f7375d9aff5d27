import { expect, test } from 'vitest'
import { BudgetWatch, defaultBudgets } from './budget.ts'

const budget = { ...defaultBudgets.process, memoryMb: 100, idleCpuShare: 0.25 }
const mebibyte = 1_048_576

test('memory near the limit is warned of once, memory over it is a breach', () => {
  const watch = new BudgetWatch(budget)
  const look = (mb: number) => watch.look({ cpuMs: 0, memoryBytes: mb * mebibyte }, 0, true)?.level
  expect([50, 79, 80, 90, 100, 101].map(look)).toEqual([
    undefined,
    undefined,
    'warning',
    undefined,
    undefined,
    'breach',
  ])
})

test('processor is counted only while nobody calls, and the second window over the share is a breach', () => {
  const watch = new BudgetWatch(budget)
  const look = (at: number, cpuMs: number, busy = false) =>
    watch.look({ cpuMs, memoryBytes: 0 }, at, busy)?.level
  expect(look(0, 0, true)).toBeUndefined()
  expect(look(60_000, 60_000, true)).toBeUndefined()
  expect(look(61_000, 60_000)).toBeUndefined()
  expect(look(71_000, 61_000)).toBeUndefined()
  expect(look(81_000, 66_000)).toBe('warning')
  expect(look(91_000, 66_100)).toBeUndefined()
  expect(look(101_000, 70_000)).toBe('warning')
  expect(look(111_000, 74_000)).toBe('breach')
})
