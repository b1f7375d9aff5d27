// `npm run build:binary`: installs, builds the admin app, and makes the single binary for this machine; with `--all`
// for every platform that Node is published for.
import path from 'node:path'
import { ensureInstalled, root, runPinned } from './bootstrap.mjs'

await ensureInstalled()
const built = await runPinned([path.join(root, 'scripts/build-admin.ts')])
process.exit(
  built || (await runPinned([path.join(root, 'scripts/binary/build.ts'), ...process.argv.slice(2)])),
)
