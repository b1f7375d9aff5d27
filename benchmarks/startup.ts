// How much later the server is there when many plugins are installed and enabled, and none of them is needed yet: the
// time from the start of a process until its plugins are declared, with and without them.
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { apiVersion } from '@huitou/plugin-api'
import { packPlugin } from '@huitou/plugin-host/install'
import { numberArgument } from './harness/arguments.ts'
import { copyDatabase, scratchFolder } from './harness/fixtures.ts'
import { openBench } from './harness/huitou.ts'
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
  await install(many.path, plugins)
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

/** Packs, uploads and enables plugins as an owner would; each has code, texts in two languages and a setting. */
async function install(folder: string, count: number): Promise<void> {
  using scratch = scratchFolder()
  await using bench = await openBench({ folder })
  for (let number = 1; number <= count; number++) {
    const dir = path.join(scratch.path, String(number))
    writePlugin(dir, number)
    const { bytes, archive } = await packPlugin(dir)
    await bench.huitou.plugins.upload(bytes, {})
    await bench.huitou.plugins.enable(archive.id, { grants: 'all', allowUnsigned: true })
  }
}

function writePlugin(dir: string, number: number): void {
  mkdirSync(dir, { recursive: true })
  const write = (name: string, text: string) => writeFileSync(path.join(dir, name), text)
  const manifest = {
    publisher: 'bench',
    name: `plugin-${number}`,
    version: '1.0.0',
    type: 'module',
    keywords: ['huitou-plugin'],
    engines: { huitou: `^${apiVersion}` },
    displayName: '%name%',
    description: '%name%',
    main: 'index.js',
    contributes: {
      commands: [{ id: 'go', title: '%command%' }],
      configuration: { properties: { days: { type: 'integer', title: '%days%', default: 30 } } },
    },
    permissions: { 'profile.read': ['commerce_*'] },
  }
  write('package.json', JSON.stringify(manifest))
  write('package.nls.json', JSON.stringify({ name: `Plugin ${number}`, command: 'Go', days: 'Days' }))
  write('package.nls.zh-CN.json', JSON.stringify({ name: `插件 ${number}`, command: '执行', days: '天数' }))
  write('README.md', `# Plugin ${number}\n`)
  // About as much as a plugin with a few dependencies bundled into it.
  const code = `export default { activate(huitou) { huitou.commands.register('go', { run: () => ${number} }) } }\n`
  write('index.js', code + `// ${'x'.repeat(76)}\n`.repeat(1_000))
}
