import path from 'node:path'
import { AppError } from '@huitou/plugin-api'
import pino from 'pino'
import { type Config, readConfig } from '../config.ts'
import { type Huitou, openHuitou } from '../open-huitou.ts'

/** Arguments that every command takes. */
export const commonArgs = {
  data: { type: 'string', default: '.data', valueHint: 'DIR', description: 'data folder' },
  json: { type: 'boolean', default: false, description: 'print one JSON document instead of text' },
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
    { level: quiet && config.logLevel === 'info' ? 'warn' : config.logLevel, base: null },
    pino.destination({ dest: 2, sync: true }),
  )
  const plugins = (args.plugin ?? '')
    .split(',')
    .filter(Boolean)
    .map((dir) => path.resolve(dir))
  return Object.assign(await openHuitou({ config, log, plugins }), { config })
}

/** Prints a command's result: JSON with `--json`, else the given text. */
export function print(args: CommonArgs, result: unknown, text: string): void {
  process.stdout.write(args.json ? `${JSON.stringify(result, null, 2)}\n` : `${text}\n`)
}

/**
 * Runs a command's work. An expected error is printed with its hint (as JSON with `--json`) and sets the exit code:
 * 1 for what the caller can mend, 2 for the rest.
 */
export async function runCommand(args: { json?: boolean }, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    if (args.json) {
      const { code, message, hint, details } = error
      process.stdout.write(`${JSON.stringify({ error: { code, message, hint, details } }, null, 2)}\n`)
    } else process.stderr.write(`${error.code}: ${error.message}\n${error.hint ? `${error.hint}\n` : ''}`)
    process.exitCode = error.kind === 'user' ? 1 : 2
  }
}
