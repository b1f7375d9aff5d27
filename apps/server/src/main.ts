import { runCommandLine } from '@huitou/cli/run-command-line'
import { huitouCommand } from './cli/huitou.ts'

// `huitou export … | head` reads as far as it likes; that is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})
await runCommandLine(huitouCommand)
