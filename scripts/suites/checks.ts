import { root, runTool } from './run-tool.ts'
import { inSlot } from './slots.ts'
import { addTallies, type Suite, type Tally, type Write } from './tally.ts'

interface Check {
  title: string
  command: string[]
  cwd?: string
}

/** Runs one command as one check. Its output shows only when it fails. */
async function check({ title, command, cwd = root }: Check, write: Write): Promise<Tally> {
  const [tool, ...args] = command
  const { ok, output } = await inSlot(() => runTool(tool!, args, { cwd, quiet: true }))
  write(`${ok ? '✓' : '✗'} ${title}\n${ok ? '' : `${output.trimEnd()}\n`}`)
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 }
}

async function checkAll(checks: Check[], write: Write): Promise<Tally> {
  return addTallies(await Promise.all(checks.map((each) => check(each, write))))
}

export const lint: Suite = {
  name: 'lint',
  title: 'rules (ESLint, oxlint)',
  beside: true,
  exists: () => true,
  run: (write) =>
    checkAll(
      [
        { title: 'eslint', command: ['eslint', '.'] },
        {
          title: 'oxlint: rules that need types',
          command: ['oxlint', '--type-aware', 'packages', 'plugins', 'apps/server', 'scripts'],
        },
      ],
      write,
    ),
}

export const format: Suite = {
  name: 'format',
  title: 'layout of the code (oxfmt)',
  beside: true,
  exists: () => true,
  run: (write) => check({ title: 'oxfmt', command: ['oxfmt', '--check', '.'] }, write),
}

export const unused: Suite = {
  name: 'unused',
  title: 'unused files, exports and dependencies (knip)',
  beside: true,
  exists: () => true,
  run: (write) => check({ title: 'knip', command: ['knip', '--no-progress', '--no-config-hints'] }, write),
}
