import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import path from 'node:path'
import { type Core, readBrand } from '@huitou/core'
import type { Config } from '../config.ts'
import { doubtful, failing, fine, type Finding } from './finding.ts'

/** Whether what is set can work. */
export async function examineSettings({ database }: Core, config: Config): Promise<Finding> {
  const brand = await readBrand(database.db)
  const wrong: string[] = []
  if (!Intl.supportedValuesOf('currency').includes(brand.currency))
    wrong.push(`the currency ${brand.currency} is not known`)
  if (!isTimeZone(brand.timeZone)) wrong.push(`the time zone ${brand.timeZone} is not known`)
  const { backup, dataDir } = config
  if (backup) {
    if (!path.relative(dataDir, backup.dir).startsWith('..'))
      wrong.push('HUITOU_BACKUP_DIR lies inside the data folder')
    else if (!(await isWritable(backup.dir))) wrong.push(`nothing can be written into ${backup.dir}`)
  }
  if (wrong.length > 0) return failing('settings', wrong.join('; '))
  if (!backup) return doubtful('settings', 'no backups are planned: HUITOU_BACKUP_DIR is not set')
  return fine('settings', `a backup a day at ${backup.at} into ${backup.dir}`)
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

async function isWritable(folder: string): Promise<boolean> {
  try {
    await access(folder, constants.W_OK)
    return true
  } catch (error) {
    // The first backup makes it, if it may.
    const isAbsent = (error as NodeJS.ErrnoException).code === 'ENOENT'
    return isAbsent && folder !== path.dirname(folder) && (await isWritable(path.dirname(folder)))
  }
}
