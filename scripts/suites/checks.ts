import { existsSync, globSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { root, runTool } from './run-tool.ts'
import { addTallies, type Suite, type Tally } from './tally.ts'

/** Runs one command as one check. Its output shows only when it fails. */
async function check(title: string, command: string[], cwd = root): Promise<Tally> {
  const [tool, ...args] = command
  const { ok, output } = await runTool(tool!, args, { cwd, quiet: true })
  process.stdout.write(`${ok ? '✓' : '✗'} ${title}\n${ok ? '' : `${output.trimEnd()}\n`}`)
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 }
}

export const lint: Suite = {
  name: 'lint',
  title: 'rules (ESLint)',
  exists: () => true,
  run: () => check('eslint', ['eslint', '.']),
}

export const format: Suite = {
  name: 'format',
  title: 'layout of the code (oxfmt)',
  exists: () => true,
  run: () => check('oxfmt', ['oxfmt', '--check', '.']),
}

/** Folders with a tsconfig, scripts among them. The admin is checked by vue-tsc, which also reads templates. */
export function typedFolders(): { folder: string; checker: 'tsc' | 'vue-tsc' }[] {
  return globSync(
    ['{packages,plugins,apps,examples}/*/tsconfig.json', '{benchmarks,scripts}/tsconfig.json'],
    {
      cwd: root,
    },
  )
    .map((file) => path.dirname(file))
    .filter(
      (folder) => globSync(['**/*.ts', '**/*.vue'], { cwd: path.join(root, folder), exclude }).length > 0,
    )
    .toSorted()
    .map((folder) => ({ folder, checker: hasVue(folder) ? ('vue-tsc' as const) : ('tsc' as const) }))
}

export const types: Suite = {
  name: 'types',
  title: 'types (tsc, vue-tsc)',
  exists: () => true,
  async run() {
    const waiting = typedFolders()
    const done: Tally[] = []
    const worker = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        done.push(
          await check(
            next.folder,
            [next.checker, '--noEmit', '-p', 'tsconfig.json'],
            path.join(root, next.folder),
          ),
        )
      }
    }
    await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, worker))
    return addTallies(done)
  },
}

export const unused: Suite = {
  name: 'unused',
  title: 'unused files, exports and dependencies (knip)',
  exists: () => true,
  run: () => check('knip', ['knip', '--no-progress', '--no-config-hints']),
}

/** Packages that strangers install, which is where a wrong `exports` would hurt. */
function publishedFolders(): string[] {
  return globSync('{packages,plugins}/*/package.json', { cwd: root })
    .filter((file) => !JSON.parse(readFileSync(path.join(root, file), 'utf8')).private)
    .map((file) => path.dirname(file))
}

export const published: Suite = {
  name: 'publish',
  title: 'packages others install (publint)',
  exists: () => publishedFolders().length > 0,
  async run() {
    const tallies: Tally[] = []
    for (const folder of publishedFolders()) {
      tallies.push(await check(folder, ['publint', '--strict'], path.join(root, folder)))
    }
    return addTallies(tallies)
  },
}

function hasVue(folder: string): boolean {
  if (existsSync(path.join(root, folder, 'vite.config.ts'))) return true
  return globSync('**/*.vue', { cwd: path.join(root, folder), exclude }).length > 0
}

function exclude(name: string): boolean {
  return /(^|\/)(node_modules|dist)$/.test(name)
}
