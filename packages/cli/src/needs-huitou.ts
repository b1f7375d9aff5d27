import { userError } from '@huitou/plugin-api'
import { defineCommand } from 'citty'
import { runCommand } from './output.ts'

/** Commands that work on a shop, of which this package has none: they say where there is one. */
const elsewhere = {
  dev: 'Run a plugin in a demo shop of its own and reload it when its files change',
  search: 'Look for plugins in the registries that the shop names',
  install: 'Install a plugin in a shop',
  list: 'Plugins of a shop',
  enable: 'Enable a plugin of a shop',
  disable: 'Disable a plugin of a shop',
  upgrade: 'Put another version in force',
  uninstall: 'Take a plugin out of a shop',
  trust: 'Trust a publisher',
}

export const needsHuitou = Object.fromEntries(
  Object.entries(elsewhere).map(([name, description]) => [
    name,
    defineCommand({
      meta: { name, description: `${description} (needs the whole of Huitou)` },
      async run() {
        await runCommand({}, () => {
          throw userError(
            'E_NEEDS_HUITOU',
            `"huitou plugin ${name}" needs the whole of Huitou, with a shop`,
            {
              hint: `Call the huitou of your clone or server in its place, here in this folder: /path/to/huitou plugin ${name}`,
            },
          )
        })
      },
    }),
  ]),
)
