/** What one suite counted. */
export interface Tally {
  passed: number
  failed: number
  skipped: number
}

/** Prints what a suite has to say. */
export type Write = (text: string) => void

export interface Suite {
  name: string
  title: string
  /** Whether it may run beside others of its kind: it keeps to the slots and says everything through `write`. */
  beside?: boolean
  /** Whether the repository has anything for it to run. */
  exists(): boolean
  run(write: Write): Promise<Tally>
}

export function addTallies(tallies: Tally[]): Tally {
  const total = { passed: 0, failed: 0, skipped: 0 }
  for (const tally of tallies) {
    total.passed += tally.passed
    total.failed += tally.failed
    total.skipped += tally.skipped
  }
  return total
}

interface VitestReport {
  success: boolean
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  numTodoTests: number
  testResults: { status: string; assertionResults: unknown[] }[]
}

/** Counts of vitest's `json` reporter. A file that could not even be loaded counts as one failed test. */
export function tallyOfVitest(report: VitestReport): Tally {
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  ).length
  const failed = report.numFailedTests + broken
  return {
    passed: report.numPassedTests,
    // An error outside any test leaves the counts clean but the run unsuccessful.
    failed: failed === 0 && !report.success ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

interface PlaywrightReport {
  stats: { expected: number; unexpected: number; flaky: number; skipped: number }
  errors: unknown[]
}

/** Counts of Playwright's `json` reporter. A flaky test passed in the end, but it counts as failed: it is a bug. */
export function tallyOfPlaywright({ stats, errors }: PlaywrightReport): Tally {
  const failed = stats.unexpected + stats.flaky
  return {
    passed: stats.expected,
    failed: failed === 0 && errors.length > 0 ? 1 : failed,
    skipped: stats.skipped,
  }
}
