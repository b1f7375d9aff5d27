// `npm run bench -- NAME […]`: runs benchmarks/NAME.ts on the pinned Node; without a name, lists them.
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { ensureInstalled, root, runPinned } from './bootstrap.mjs'

const [name, ...rest] = process.argv.slice(2)
const folder = path.join(root, 'benchmarks')
const file = path.join(folder, `${name}.ts`)

if (!name || !existsSync(file)) {
  const names = readdirSync(folder)
    .filter((entry) => entry.endsWith('.ts') && !entry.endsWith('.test.ts'))
    .map((entry) => entry.slice(0, -3))
  if (name) process.stderr.write(`There is no benchmark "${name}".\n`)
  process.stderr.write(`Benchmarks: ${names.join(', ') || 'none yet'}\nRun one with: npm run bench -- NAME\n`)
  process.exit(1)
}

await ensureInstalled()
process.exit(await runPinned([file, ...rest]))
