import type { Config } from '../config.ts'
import type { Huitou } from '../open-huitou.ts'
import { version } from '../version.ts'
import {
  examineAuditLog,
  examineClock,
  examineDatabase,
  examineRelations,
  examineStages,
} from './examine-database.ts'
import { examineDisk, examineFolder, examineLeftovers } from './examine-files.ts'
import { examineSettings } from './examine-settings.ts'
import { fine, type Finding } from './finding.ts'

/** Looks at everything that an installation is made of. Reads the whole database once; changes nothing. */
export async function examine(huitou: Huitou, config: Config): Promise<Finding[]> {
  const { database } = huitou.core
  return [
    fine('version', `Huitou ${version}, Node ${process.versions.node}, ${database.engine}`),
    await examineDatabase(database),
    await examineRelations(database),
    await examineStages(database),
    await examineAuditLog(database),
    await examineClock(huitou.core),
    await examineFolder(config),
    await examineLeftovers(huitou, config),
    await examineDisk(config),
    await examineSettings(huitou.core, config),
    ...(await examinePlugins(huitou)),
  ]
}

async function examinePlugins({ plugins }: Huitou): Promise<Finding[]> {
  return (await plugins.list()).map(({ id, state, error, version: own }) => ({
    check: `plugin ${id}`,
    level: state === 'failed' || state === 'quarantined' ? ('fail' as const) : ('ok' as const),
    detail: error ? `${own}, ${state}: ${error.message}` : `${own}, ${state}`,
  }))
}
