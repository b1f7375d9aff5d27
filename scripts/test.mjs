// `npm test [-- SUITE…]`: installs and runs the suites on the pinned Node.
import path from 'node:path'
import { ensureInstalled, root, runPinned } from './bootstrap.mjs'

await ensureInstalled()
process.exit(await runPinned([path.join(root, 'scripts', 'run-suites.ts'), ...process.argv.slice(2)]))
