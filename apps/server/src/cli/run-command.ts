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
