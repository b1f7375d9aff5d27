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
    erasures: {
      type: 'string',
      valueHint: 'FILE',
      description: 'erasures.jsonl of the data folder that is replaced: whom it names is erased again',
    },
    data: commonArgs.data,
    json: commonArgs.json,
  },
  async run({ args }) {
    await runCommand(args, async () => {
      const { manifest, folder, erasedSince } = await restoreBackup(args.backup, {
        dataDir: args.data,
        databaseUrl: process.env['DATABASE_URL'] || undefined,
        erasures: args.erasures,
      })
      const rows = Object.values(manifest.tables).reduce((sum, table) => sum + table.rows, 0)
      const when = new Date(manifest.at).toISOString()
      print(
        args,
        { folder, at: manifest.at, version: manifest.version, rows, erasedSince },
        `${folder} is as it was at ${when}${erasedSince > 0 ? `; ${erasedSince} customers erased since are erased again when it starts` : ''}. Start it with: huitou serve --data ${args.data}`,
      )
    })
  },
})
