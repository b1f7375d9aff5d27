// How much later the server is there when many plugins are installed and enabled, and none of them is needed yet: the
// time from the start of a process until its plugins are declared, with and without them.
import { spawnSync } from 'node:child_process'
import { numberArgument } from './harness/arguments.ts'
import { copyDatabase, scratchFolder } from './harness/fixtures.ts'
import { openBench } from './harness/huitou.ts'
import { installPlugins } from './harness/many-plugins.ts'
import { median, printResult } from './harness/result.ts'

const measured = process.argv.indexOf('--measure')
if (measured > 0) await measure(process.argv[measured + 1] ?? '')
else await compare()

/** In a process of its own: opens what lies in `folder` and says how long that took since the process began. */
async function measure(folder: string): Promise<void> {
  await using bench = await openBench({ folder })
  const took = performance.now()
  const states = bench.huitou.host.list().map(({ state }) => state)
  process.stdout.write(
    JSON.stringify({ took, enabled: states.filter((state) => state === 'enabled').length }),
  )
}

async function compare(): Promise<void> {
  const plugins = numberArgument('plugins', 100)
  const rounds = numberArgument('rounds', 9)
  using without = scratchFolder()
  using many = scratchFolder()
  await openBench({ folder: without.path }).then((bench) => bench[Symbol.asyncDispose]())
  copyDatabase(without.path, many.path)
  await installPlugins(many.path, plugins)
  const took: { without: number[]; many: number[] } = { without: [], many: [] }
  let extra = 0
  for (let round = 0; round < rounds; round++) {
    const bare = start(without.path)
    const full = start(many.path)
    took.without.push(bare.took)
    took.many.push(full.took)
    extra = full.enabled - bare.enabled
  }
  if (extra !== plugins) throw new Error(`${extra} of ${plugins} plugins are enabled`)
  const slower = took.many.map((ms, round) => ms - (took.without[round] ?? 0))
  printResult({
    bench: 'startup',
    metric: `${plugins} installed plugins, none active: how much later`,
    value: median(slower),
    unit: 'ms',
    budget: '< 100 ms',
    engine: 'sqlite',
    without: Math.round(median(took.without)),
    best: Math.round(Math.min(...took.many) - Math.min(...took.without)),
  })
}

function start(folder: string): { took: number; enabled: number } {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [import.meta.filename, '--measure', folder],
    {
      encoding: 'utf8',
    },
  )
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as { took: number; enabled: number }
}
