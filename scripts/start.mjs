// `npm start`: installs, builds the admin app when it changed, and serves the demo shop on this machine.
import path from 'node:path'
import { ensureInstalled, root, runPinned } from './bootstrap.mjs'

const given = process.argv.slice(2)
const defaults = [
  ['--data', path.join(root, '.data')],
  ['--port', '3000'],
]

await ensureInstalled()
const built = await runPinned([path.join(root, 'scripts', 'build-admin.ts')])
if (built !== 0) process.exit(built)

const missing = defaults.filter(([name]) => !given.some((arg) => arg === name || arg.startsWith(`${name}=`)))
const demo = given.includes('--no-demo') || given.includes('--demo') ? [] : ['--demo']
process.exit(
  await runPinned([
    path.join(root, 'apps/server/src/main.ts'),
    'serve',
    ...missing.flat(),
    ...demo,
    ...given,
  ]),
)
