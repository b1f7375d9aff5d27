import { defineCommand } from 'citty'
import manifest from '../package.json' with { type: 'json' }
import { authorCommands } from './author-commands.ts'
import { needsHuitou } from './needs-huitou.ts'
import { runCommandLine } from './run-command-line.ts'

/** What works in a plugin's folder alone. The whole of Huitou has the same commands, and more. */
await runCommandLine(
  defineCommand({
    meta: { name: 'huitou', version: manifest.version, description: manifest.description },
    subCommands: {
      plugin: defineCommand({
        meta: { name: 'plugin', description: 'Plugins: write, test, pack, sign' },
        subCommands: { ...authorCommands, ...needsHuitou },
      }),
    },
  }),
)
