import { existsSync } from 'node:fs'
import path from 'node:path'
import { userError } from '@huitou/plugin-api'
import { defineCommand } from 'citty'
import type { UpgradeCheck } from '../upgrade/check-upgrade.ts'
import { commonArgs, print, runCommand } from './open.ts'

export const upgradeCommand = defineCommand({
  meta: { name: 'upgrade', description: 'Say what starting this version would do to the database' },
  args: {
    data: commonArgs.data,
    json: commonArgs.json,
    check: { type: 'boolean', default: false, description: 'try it on a copy; changes nothing' },
  },
  async run({ args }) {
    await runCommand(args, async () => {
      if (!args.check)
        throw userError('E_UPGRADE_CHECK', 'Nothing has to be run for an upgrade: the next start does it', {
          hint: 'Make a backup, see with --check what the start will do, then start this version.',
        })
      const file = path.join(args.data, 'huitou.db')
      if (!process.env['DATABASE_URL'] && !existsSync(file))
        throw userError('E_NO_DATABASE', `There is no database in ${args.data}`, {
          hint: 'Name the data folder with --data.',
        })
      const { readConfig } = await import('../config.ts')
      const { checkUpgrade } = await import('../upgrade/check-upgrade.ts')
      const check = await checkUpgrade(readConfig(args.data))
      print(args, check, describe(check))
      if (!check.ok) process.exitCode = 1
    })
  },
})

function describe({ ok, version, writtenBy, migrations, trial, disk, plugins }: UpgradeCheck): string {
  const { applied, pending, unknown } = migrations
  const lines = [
    `This is Huitou ${version}.`,
    `The database was served last by ${writtenBy ?? 'a version that did not say so'}; its newest migration is ${applied.at(-1) ?? 'none'}.`,
  ]
  if (unknown.length > 0)
    lines.push(
      `A newer version wrote it: ${unknown.join(', ')} are not known here. This version will refuse it.`,
    )
  else if (pending.length === 0) lines.push('No migration would run.')
  else lines.push(`${pending.length} migrations would run: ${pending.join(', ')}.`)
  if (trial) {
    const took = `${(trial.tookMs / 1_000).toFixed(1)} s`
    lines.push(trial.ok ? `Tried on a copy: went through in ${took}.` : `Tried on a copy: ${trial.reason}`)
  } else if (applied.length > 0) lines.push('Not tried on a copy.')
  const bytes = (count: number) => `${(count / 1e9).toFixed(2)} GB`
  lines.push(`Disk: ${bytes(disk.free)} free, ${bytes(disk.needed)} needed${disk.ok ? '.' : ': too little.'}`)
  for (const plugin of plugins)
    lines.push(
      `Plugin ${plugin.id} ${plugin.version}: ${plugin.ok ? 'runs on this version.' : plugin.reason}`,
    )
  lines.push(ok ? 'Nothing speaks against it.' : 'Do not start this version on this database yet.')
  return lines.join('\n')
}
