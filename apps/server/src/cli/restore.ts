import { defineCommand } from 'citty'
import { restoreBackup } from '../backup/restore-backup.ts'
import { commonArgs, print, runCommand } from './open.ts'

export const restoreCommand = defineCommand({
  meta: { name: 'restore', description: 'Put a backup into an empty folder, and compare what is there then' },
  args: {
    backup: {
      type: 'positional',
      required: true,
      valueHint: 'BACKUP',
      description: 'folder that huitou backup made',
    },
    data: commonArgs.data,
    json: commonArgs.json,
  },
  async run({ args }) {
    await runCommand(args, async () => {
      const { manifest, folder } = await restoreBackup(args.backup, {
        dataDir: args.data,
        databaseUrl: process.env['DATABASE_URL'] || undefined,
      })
      const rows = Object.values(manifest.tables).reduce((sum, table) => sum + table.rows, 0)
      const when = new Date(manifest.at).toISOString()
      print(
        args,
        { folder, at: manifest.at, version: manifest.version, rows },
        `${folder} is as it was at ${when}. Start it with: huitou serve --data ${args.data}`,
      )
    })
  },
})
