import { type Core, findSetting, writeSetting } from '@huitou/core'
import { version } from '../version.ts'

/** Which version served this database last, for whoever asks before an upgrade. */
export const VERSION_SETTING = 'version'

/** Writes this version down, unless it stands there. */
export async function noteVersion({ database }: Pick<Core, 'database'>): Promise<void> {
  if ((await findSetting(database.db, VERSION_SETTING)) === version) return
  await writeSetting(database.db, VERSION_SETTING, version)
}
