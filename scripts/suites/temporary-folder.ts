import { existsSync, statfsSync } from 'node:fs'
import { freemem } from 'node:os'

/** Databases of tests live in memory where there is plenty: each commit of a real SQLite waits for the disk. */
export function temporaryFolder(): { TMPDIR?: string } {
  const folder = '/dev/shm'
  if (process.platform !== 'linux' || !existsSync(folder)) return {}
  const { bavail, bsize } = statfsSync(folder)
  const gigabytes = Math.min(bavail * bsize, freemem() / 2) / 2 ** 30
  return gigabytes >= 4 ? { TMPDIR: folder } : {}
}
