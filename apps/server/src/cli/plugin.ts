import { authorCommands } from '@huitou/cli/author-commands'
import { defineCommand } from 'citty'

/** Everything about plugins: for those who write them, and for those who use them without a browser. */
export const pluginCommand = defineCommand({
  meta: { name: 'plugin', description: 'Plugins: write, pack, sign, find, install' },
  subCommands: {
    ...authorCommands,
    dev: () => import('./plugin-dev.ts').then((module) => module.pluginDevCommand),
    verify: () => import('./plugin-verify.ts').then((module) => module.verifyCommand),
    search: () => import('./plugin-search.ts').then((module) => module.searchCommand),
    install: () => import('./plugin-install.ts').then((module) => module.installCommand),
    list: () => import('./plugin-list.ts').then((module) => module.listCommand),
    enable: () => import('./plugin-enable.ts').then((module) => module.enableCommand),
    disable: () => import('./plugin-disable.ts').then((module) => module.disableCommand),
    upgrade: () => import('./plugin-upgrade.ts').then((module) => module.upgradeCommand),
    uninstall: () => import('./plugin-uninstall.ts').then((module) => module.uninstallCommand),
    trust: () => import('./plugin-trust.ts').then((module) => module.trustCommand),
  },
})
