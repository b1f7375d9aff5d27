import { defineCommand } from 'citty'

/** Everything about plugins: for those who write them, and for those who use them without a browser. */
export const pluginCommand = defineCommand({
  meta: { name: 'plugin', description: 'Plugins: write, pack, sign, find, install' },
  subCommands: {
    create: () => import('./plugin-create.ts').then((module) => module.createCommand),
    dev: () => import('./plugin-dev.ts').then((module) => module.pluginDevCommand),
    test: () => import('./plugin-test.ts').then((module) => module.pluginTestCommand),
    pack: () => import('./plugin-pack.ts').then((module) => module.packCommand),
    keygen: () => import('./plugin-keygen.ts').then((module) => module.keygenCommand),
    sign: () => import('./plugin-sign.ts').then((module) => module.signCommand),
    verify: () => import('./plugin-verify.ts').then((module) => module.verifyCommand),
    index: () => import('./plugin-index.ts').then((module) => module.indexCommand),
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
