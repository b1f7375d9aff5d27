import { expect, test } from 'vitest'
import { addTallies, tallyOfPlaywright, tallyOfVitest } from './tally.ts'

const vitestReport = {
  success: true,
  numPassedTests: 3,
  numFailedTests: 0,
  numPendingTests: 1,
  numTodoTests: 1,
  testResults: [{ status: 'passed', assertionResults: [{}] }],
}

test('a clean run counts as it says, and what is still to be written counts as skipped', () => {
  expect(tallyOfVitest(vitestReport)).toEqual({ passed: 3, failed: 0, skipped: 2 })
})

test('a test file that does not load counts as a failed test', () => {
  const broken = { status: 'failed', assertionResults: [] }
  const report = { ...vitestReport, success: false, testResults: [broken, broken] }
  expect(tallyOfVitest(report)).toEqual({ passed: 3, failed: 2, skipped: 2 })
})

test('an error outside every test fails the run', () => {
  expect(tallyOfVitest({ ...vitestReport, success: false }).failed).toBe(1)
})

test('a browser test that only passed the second time counts as failed', () => {
  const stats = { expected: 4, unexpected: 1, flaky: 1, skipped: 2 }
  expect(tallyOfPlaywright({ stats, errors: [] })).toEqual({ passed: 4, failed: 2, skipped: 2 })
})

test('browser tests that could not start fail the run', () => {
  const stats = { expected: 0, unexpected: 0, flaky: 0, skipped: 0 }
  expect(tallyOfPlaywright({ stats, errors: [{}] }).failed).toBe(1)
})

test('suites add up', () => {
  const one = { passed: 1, failed: 2, skipped: 3 }
  expect(addTallies([one, one])).toEqual({ passed: 2, failed: 4, skipped: 6 })
})
