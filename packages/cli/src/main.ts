import { defineCommand, runMain } from 'citty'
import manifest from '../package.json' with { type: 'json' }
import { authorCommands } from './author-commands.ts'
import { needsHuitou } from './needs-huitou.ts'

/** What works in a plugin's folder alone. The whole of Huitou has the same commands, and more. */
await runMain(
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
