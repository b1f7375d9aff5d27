// `npm run upgrade-from -- COMMIT`: proves that what an older commit wrote is all there after an upgrade to this one.
import path from 'node:path'
import { ensureInstalled, root, runPinned } from './bootstrap.mjs'

await ensureInstalled()
process.exit(await runPinned([path.join(root, 'scripts/upgrade/upgrade-from.ts'), ...process.argv.slice(2)]))
