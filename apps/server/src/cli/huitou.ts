import { defineCommand } from 'citty'
import { version } from '../version.ts'

/** The command line: one file a command, loaded when it is called. */
export const huitouCommand = defineCommand({
  meta: { name: 'huitou', version, description: 'Look after your customers in your own channels' },
  subCommands: {
    serve: () => import('./serve.ts').then((module) => module.serveCommand),
    import: () => import('./import.ts').then((module) => module.importCommand),
    export: () => import('./export.ts').then((module) => module.exportCommand),
    replay: () => import('./replay.ts').then((module) => module.replayCommand),
    report: () => import('./report.ts').then((module) => module.reportCommand),
    segment: () => import('./segment.ts').then((module) => module.segmentCommand),
    plugin: () => import('./plugin.ts').then((module) => module.pluginCommand),
    user: () => import('./user.ts').then((module) => module.userCommand),
    keys: () => import('./keys.ts').then((module) => module.keysCommand),
    backup: () => import('./backup.ts').then((module) => module.backupCommand),
    restore: () => import('./restore.ts').then((module) => module.restoreCommand),
    upgrade: () => import('./upgrade.ts').then((module) => module.upgradeCommand),
    doctor: () => import('./doctor.ts').then((module) => module.doctorCommand),
  },
})
