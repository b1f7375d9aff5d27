import { readdirSync, realpathSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** How a process that runs one plugin is started. */
export interface RunnerCommand {
  command: string
  args: string[]
  env: Record<string, string>
}

/**
 * Turns flags of Node into the command that starts a plugin's process with them. The process must load
 * `plugin-process.ts`, or a bundle of it, and be allowed to read what that consists of; its descriptor 3 is the
 * channel.
 *
 * From the source tree it is Node with a file. In the single binary there is no Node to give a file to:
 * `process.execPath` is the binary itself. Built with `"execArgvExtension": "env"` (tried with Node 26.10), it takes the
 * same flags from `NODE_OPTIONS`. The command there is `{ command: process.execPath, args: ['plugin-process'], env: {
 * NODE_OPTIONS: flags.map((flag) => JSON.stringify(flag)).join(' ') } }`, and its main file calls `runPluginProcess()`
 * of `@huitou/plugin-host/plugin-process` when that is its first argument, before anything of the server is loaded.
 * `lockDown()` then takes `NODE_OPTIONS` out of the plugin's sight. Threads get a bundle of `plugin-worker.ts` through
 * the host's option `workerEntry`.
 */
export type FindRunnerCommand = (nodeFlags: readonly string[]) => RunnerCommand

/** The command for a source tree, or an installation that looks like one. */
export const sourceTreeCommand: FindRunnerCommand = (nodeFlags) => ({
  command: process.execPath,
  args: [
    ...nodeFlags,
    ...sourceFolders().map((folder) => `--allow-fs-read=${folder}`),
    fileURLToPath(new URL('./plugin-process.ts', import.meta.url)),
  ],
  env: {},
})

let known: string[] | undefined

/** Folders that the runner's own modules lie in: this package and those that it depends on. */
function sourceFolders(): string[] {
  if (known) return known
  const own = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
  const dependencies = path.join(own, 'node_modules')
  const links = readdirSync(dependencies).flatMap((name) =>
    name.startsWith('@')
      ? readdirSync(path.join(dependencies, name)).map((inner) => path.join(name, inner))
      : name.startsWith('.')
        ? []
        : [name],
  )
  const wanted = links.filter((link) => runnerNeeds.includes(link))
  known = [own, ...wanted.map((link) => realpathSync(path.join(dependencies, link)))]
  return known
}

/** What plugin-runner.ts imports, at whatever depth. */
const runnerNeeds = ['@huitou/plugin-api', 'kysely']
