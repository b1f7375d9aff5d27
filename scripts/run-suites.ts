// Runs the suites named on the command line, or all of them, and adds up what they counted. Those that only read
// run beside each other; those that run Huitou come after them, one after the other.
// The last line is `N passed, N failed, N skipped`; the exit code is 1 when anything failed or a suite ran nothing.
import { suites } from './suites/index.ts'
import { addTallies, type Suite, type Tally, type Write } from './suites/tally.ts'

interface Result {
  name: string
  tally: Tally
  seconds: number
}

const known = suites.map((suite) => suite.name)
const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !known.includes(name))
if (unknown.length > 0) {
  process.stderr.write(`There is no suite "${unknown.join('", "')}". Suites: ${known.join(', ')}\n`)
  process.exit(1)
}

const chosen = suites.filter((suite) => (asked.length > 0 ? asked.includes(suite.name) : suite.exists()))
const results: Result[] = []
const print: Write = (text) => process.stdout.write(text)

// What runs beside others starts now, and is told when its turn comes.
const begun = chosen
  .filter((suite) => suite.beside)
  .map((suite) => {
    const told: string[] = []
    return { suite, told, result: run(suite, (text) => told.push(text)) }
  })
for (const { suite, told, result } of begun) {
  announce(suite)
  results.push(await result)
  print(told.join(''))
}
for (const suite of chosen.filter((each) => !each.beside)) {
  announce(suite)
  results.push(await run(suite, print))
}

function announce(suite: Suite): void {
  print(`\n━━ ${suite.name}: ${suite.title}\n`)
}

async function run(suite: Suite, write: Write): Promise<Result> {
  const started = performance.now()
  let tally = await suite.run(write).catch((error: unknown): Tally => {
    write(`${error instanceof Error ? error.stack : String(error)}\n`)
    return { passed: 0, failed: 1, skipped: 0 }
  })
  if (tally.passed + tally.failed === 0) {
    write(`The suite "${suite.name}" ran no test, which counts as a failure.\n`)
    tally = { ...tally, failed: 1 }
  }
  return { name: suite.name, tally, seconds: Math.round((performance.now() - started) / 1000) }
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
