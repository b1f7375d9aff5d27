import { AppError } from '@huitou/plugin-api'

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

/** Argument that every command takes. */
export const jsonArg = {
  json: { type: 'boolean', default: false, description: 'print one JSON document instead of text' },
} as const

/** Prints a command's result: JSON with `--json`, else the given text. */
export function print(args: { json: boolean }, result: unknown, text: string): void {
  process.stdout.write(args.json ? `${JSON.stringify(result, null, 2)}\n` : `${text}\n`)
}
