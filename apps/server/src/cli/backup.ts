import { userError } from '@huitou/plugin-api'
import { defineCommand } from 'citty'
import { makeBackup, pruneBackups } from '../backup/make-backup.ts'
import { verifyBackup } from '../backup/verify-backup.ts'
import { commonArgs, print, runCommand } from './open.ts'

export const backupCommand = defineCommand({
  meta: { name: 'backup', description: 'Copy everything while Huitou runs, and prove the copy' },
  args: {
    data: commonArgs.data,
    json: commonArgs.json,
    to: { type: 'string', valueHint: 'DIR', description: 'where backups lie; a new folder is made in it' },
    keep: { type: 'string', valueHint: 'N', description: 'remove older backups there, all but the N newest' },
    verify: {
      type: 'string',
      valueHint: 'BACKUP',
      description: 'read this backup back instead of making one',
    },
  },
  async run({ args }) {
    await runCommand(args, async () => {
      if (args.verify) {
        const { at, version, files } = await verifyBackup(args.verify)
        const when = new Date(at).toISOString()
        print(
          args,
          { folder: args.verify, at, version, files: files.length },
          `${args.verify} of ${when} is whole`,
        )
        return
      }
      const to = args.to ?? process.env['HUITOU_BACKUP_DIR']
      const keep = args.keep === undefined ? undefined : Number(args.keep)
      if (!to)
        throw userError('E_BACKUP_FOLDER', 'Nobody said where the backup goes', {
          hint: 'Name a folder with --to.',
        })
      if (keep !== undefined && !(Number.isInteger(keep) && keep > 0))
        throw userError('E_KEEP', `--keep ${args.keep} is not a number of backups`, {
          hint: 'Give 1 or more.',
        })
      const { folder, bytes, tookMs } = await makeBackup(
        { dataDir: args.data, databaseUrl: process.env['DATABASE_URL'] || undefined },
        { into: to, now: Date.now() },
      )
      const removed = keep === undefined ? 0 : await pruneBackups(to, keep)
      print(
        args,
        { folder, bytes, tookMs, removed },
        `${folder}: ${(bytes / 1e6).toFixed(1)} MB in ${(tookMs / 1_000).toFixed(1)} s, read back and whole`,
      )
    })
  },
})
