// `npm run build`: the `build` task of every package that has one, through turbo, which remembers what it built.
import { ensureInstalled, runPnpm } from './bootstrap.mjs'

await ensureInstalled()
// turbo asks the package manager for the workspace, so it is started by it.
process.exit(runPnpm(['exec', 'turbo', 'run', 'build', ...process.argv.slice(2)]))
