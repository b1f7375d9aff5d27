// Runs the suites named on the command line, or all of them, one after the other, and adds up what they counted.
// The last line is `N passed, N failed, N skipped`; the exit code is 1 when anything failed or a suite ran nothing.
import { suites } from './suites/index.ts'
import { addTallies, type Tally } from './suites/tally.ts'

const known = suites.map((suite) => suite.name)
const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !known.includes(name))
if (unknown.length > 0) {
  process.stderr.write(`There is no suite "${unknown.join('", "')}". Suites: ${known.join(', ')}\n`)
  process.exit(1)
}

const chosen = suites.filter((suite) => (asked.length > 0 ? asked.includes(suite.name) : suite.exists()))
const results: { name: string; tally: Tally; seconds: number }[] = []
for (const suite of chosen) {
  process.stdout.write(`\n━━ ${suite.name}: ${suite.title}\n`)
  const started = performance.now()
  let tally = await suite.run().catch((error: unknown): Tally => {
    process.stdout.write(`${error instanceof Error ? error.stack : String(error)}\n`)
    return { passed: 0, failed: 1, skipped: 0 }
  })
  if (tally.passed + tally.failed === 0) {
    process.stdout.write(`The suite "${suite.name}" ran no test, which counts as a failure.\n`)
    tally = { ...tally, failed: 1 }
  }
  results.push({ name: suite.name, tally, seconds: Math.round((performance.now() - started) / 1000) })
}

process.stdout.write('\n')
for (const { name, tally, seconds } of results) {
  const verdict = tally.failed > 0 ? '✗' : '✓'
  const counts = `${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`
  process.stdout.write(`${verdict} ${name.padEnd(8)} ${counts} (${seconds} s)\n`)
}
const total = addTallies(results.map((result) => result.tally))
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`)
process.exitCode = total.failed > 0 || results.length === 0 ? 1 : 0
