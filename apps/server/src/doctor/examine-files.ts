import { access, constants, readdir, stat, statfs } from 'node:fs/promises'
import path from 'node:path'
import { listVersions } from '@huitou/core'
import type { Config } from '../config.ts'
import type { Huitou } from '../open-huitou.ts'
import { doubtful, failing, fine, type Finding } from './finding.ts'

const LOW_DISK_BYTES = 1_000_000_000
/** What is younger may belong to work under way. */
const LEFT_MS = 86_400_000
const SHOWN = 5

/** Whether the data folder can be written, and by nobody else read. */
export async function examineFolder({ dataDir }: Config): Promise<Finding> {
  const names = await readdir(dataDir)
  const wrong: string[] = []
  for (const file of [dataDir, ...names.map((name) => path.join(dataDir, name))]) {
    const found = await stat(file).catch(() => undefined)
    if (!found) continue
    if (!(await isAllowed(file, constants.R_OK | constants.W_OK)))
      return failing('data folder', `${path.basename(file)} cannot be written by this account`)
    // Others get through neither the folder nor, where somebody opened it, the key in it.
    const isGuarded = file === dataDir || path.basename(file) === 'secret'
    if (isGuarded && process.platform !== 'win32' && (found.mode & 0o077) !== 0)
      wrong.push(`${path.basename(file)} can be read by others (${(found.mode & 0o777).toString(8)})`)
  }
  return wrong.length === 0
    ? fine('data folder', 'readable for its owner only')
    : failing('data folder', `${wrong.join('; ')}; run chmod -R go= ${dataDir}`)
}

/** Files that belong to nothing any more. */
export async function examineLeftovers({ core, store }: Huitou, { dataDir }: Config): Promise<Finding> {
  const { db } = core.database
  const left: string[] = []
  const imports = new Set((await db.selectFrom('imports').select('id').execute()).map(({ id }) => id))
  for (const name of await listFolder(path.join(dataDir, 'imports')))
    if (!imports.has(name.split('.', 1)[0] ?? '')) left.push(path.join('imports', name))
  for (const name of await listFolder(path.join(dataDir, 'record-imports')))
    left.push(path.join('record-imports', name))
  for (const name of await listFolder(dataDir))
    if (name.startsWith('upgrade-check-') || name.endsWith('.partial')) left.push(name)
  const known = new Set((await listVersions(db)).map(({ pluginId, version }) => `${pluginId}@${version}`))
  for (const { id, version } of await store.list())
    if (!known.has(`${id}@${version}`)) left.push(path.join('plugins', id, version))
  const old = []
  for (const name of left) if (await isOld(path.join(dataDir, name))) old.push(name)
  if (old.length === 0) return fine('files', 'none is left over')
  const more = old.length > SHOWN ? ` and ${old.length - SHOWN} more` : ''
  return doubtful('files', `left over from work that was cut short: ${old.slice(0, SHOWN).join(', ')}${more}`)
}

export async function examineDisk({ dataDir }: Config): Promise<Finding> {
  const { bavail, bsize } = await statfs(dataDir)
  const free = bavail * bsize
  const detail = `${(free / 1e9).toFixed(1)} GB free`
  return free > LOW_DISK_BYTES ? fine('disk', detail) : failing('disk', detail)
}

async function isAllowed(file: string, mode: number): Promise<boolean> {
  return await access(file, mode).then(
    () => true,
    () => false,
  )
}

async function isOld(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => undefined)
  return found !== undefined && Date.now() - found.mtimeMs > LEFT_MS
}

async function listFolder(folder: string): Promise<string[]> {
  return await readdir(folder).catch(() => [])
}
