import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { userError } from '@huitou/plugin-api'
import Sqlite from 'better-sqlite3'

/**
 * Makes this the only server on a SQLite folder, until the process ends, however it ends: the system forgets the locks
 * of the dead. Throws `E_SECOND_NODE` when another one serves it.
 */
export function lockFolder(dataDir: string): Disposable {
  const lock = new Sqlite(path.join(dataDir, 'serving.lock'), { timeout: 0 })
  try {
    lock.exec('begin exclusive')
  } catch (cause) {
    lock.close()
    throw userError('E_SECOND_NODE', `Another Huitou serves the folder ${dataDir} already`, {
      status: 409,
      hint: 'SQLite is for one server. Stop the other one, name another folder with --data, or set DATABASE_URL: on PostgreSQL any number of them share the work.',
      cause,
    })
  }
  return { [Symbol.dispose]: () => void lock.close() }
}

/** A name for a data folder that stays with it: nodes that have the same one see the same files. */
export function placeOf(dataDir: string): string {
  const file = path.join(dataDir, 'place')
  if (!existsSync(file)) {
    mkdirSync(dataDir, { recursive: true })
    // `wx`: of two processes that start together one makes the file, the other reads it.
    try {
      writeFileSync(file, `${crypto.randomUUID().slice(0, 8)}\n`, { flag: 'wx' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
  return readFileSync(file, 'utf8').trim()
}
