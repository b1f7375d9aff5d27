import path from 'node:path'
import { jsonArg } from '@huitou/cli/output'
import pino from 'pino'
import { type Config, readConfig } from '../config.ts'
import { requestFacts } from '../http/request-scope.ts'
import type { Huitou } from '../open-huitou.ts'
import { withoutPersonalData } from '../personal-log.ts'

export { print, runCommand } from '@huitou/cli/output'

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

/** Opens Huitou for one command. Logs go to standard error, so that standard output holds the result alone. */
export async function openForCommand(
  args: CommonArgs,
  { quiet = true }: { quiet?: boolean } = {},
): Promise<Huitou & { config: Config }> {
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
