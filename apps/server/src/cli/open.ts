import { statSync } from 'node:fs'
import path from 'node:path'
import { jsonArg, runCommand as run } from '@huitou/cli/output'
import { userError } from '@huitou/plugin-api'
import pino from 'pino'
import { type Config, readConfig } from '../config.ts'
import { requestFacts } from '../http/request-scope.ts'
import type { Huitou } from '../open-huitou.ts'
import { withoutPersonalData } from '../personal-log.ts'
import { machineError } from './machine-error.ts'

export { print } from '@huitou/cli/output'

/** Arguments that every command takes. */
export const commonArgs = {
  data: { type: 'string', default: '.data', valueHint: 'DIR', description: 'data folder' },
  ...jsonArg,
  plugin: {
    type: 'string',
    valueHint: 'DIR[,DIR]',
    description: 'further plugins to run, trusted like bundled ones: for those you are writing',
  },
} as const

export interface CommonArgs {
  data: string
  json: boolean
  plugin?: string | undefined
}

/** Runs a command's work; what is wrong with disk or database is said in words like every expected error. */
export async function runCommand(args: { json?: boolean }, work: () => Promise<void>): Promise<void> {
  await run(args, async () => {
    try {
      await work()
    } catch (error) {
      throw machineError(error) ?? error
    }
  })
}

/**
 * Opens Huitou for one command. Logs go to standard error, so that standard output holds the result alone. With
 * `existing` nothing is made where there is nothing yet: whoever asks after a folder and mistypes it is told.
 */
export async function openForCommand(
  args: CommonArgs,
  { quiet = true, existing = false }: { quiet?: boolean; existing?: boolean } = {},
): Promise<Huitou & { config: Config }> {
  if (existing) refuseEmpty(args.data)
  const config = readConfig(args.data)
  const log = pino(
    {
      level: quiet && config.logLevel === 'info' ? 'warn' : config.logLevel,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }), log: withoutPersonalData },
      mixin: requestFacts,
    },
    pino.destination({ dest: 2, sync: true }),
  )
  const plugins = (args.plugin ?? '')
    .split(',')
    .filter(Boolean)
    .map((dir) => path.resolve(dir))
  // Loaded here: commands that only look at a plugin's folder need no server.
  const { openHuitou } = await import('../open-huitou.ts')
  return Object.assign(await openHuitou({ config, log, plugins }), { config })
}

function refuseEmpty(dataDir: string): void {
  if (process.env['DATABASE_URL']) return
  // Throws where the folder is another user's, which is not the same as empty.
  if (statSync(path.join(dataDir, 'huitou.db'), { throwIfNoEntry: false })) return
  throw userError('E_NO_DATA', `There is no Huitou in ${dataDir}`, {
    hint: 'Name its data folder with --data; huitou serve makes a new one.',
  })
}
