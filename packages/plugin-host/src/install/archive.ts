import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { pluginId } from '@huitou/plugin-api'
import { findPathProblem, PathSet } from './entry-path.ts'
import { digestOf, hashAll } from './file-list.ts'
import { archiveError, megabytes, readTarball } from './tarball.ts'
import type { TarFile } from './tarball.ts'

/** A package read into memory and found harmless to unpack; nothing is written yet. */
export interface PluginArchive {
  /** npm name. */
  readonly name: string
  readonly version: string
  readonly publisher: string
  /** `publisher.name` */
  readonly id: string
  /** By path inside the plugin, `/` between folders, sorted. */
  readonly files: ReadonlyMap<string, Uint8Array>
  /** Of the packed bytes, `sha512-…`. */
  readonly integrity: string
  /** Of the contents without their signature: the same files packed anew have the same digest. `sha256-…` */
  readonly digest: string
  readonly packedBytes: number
  readonly unpackedBytes: number
}

export interface ArchiveLimits {
  packedBytes: number
  unpackedBytes: number
  files: number
  fileBytes: number
}

/** Far more than a plugin needs, far less than hurts. */
export const defaultArchiveLimits: ArchiveLimits = {
  packedBytes: 20_000_000,
  unpackedBytes: 60_000_000,
  files: 2_000,
  fileBytes: 20_000_000,
}

/**
 * Opens the `.tgz` of a plugin, given as bytes or as a file. Nothing is written and no code runs. Throws
 * `E_ARCHIVE…`, naming the entry and the way out, for whatever does not belong into a package.
 */
export async function openArchive(
  source: Uint8Array | string,
  limits: Partial<ArchiveLimits> = {},
): Promise<PluginArchive> {
  const all = { ...defaultArchiveLimits, ...limits }
  const packed = typeof source === 'string' ? await readUpTo(source, all.packedBytes) : source
  if (packed.length > all.packedBytes) throw tooLarge(all.packedBytes)
  const files = sortByPath(stripTopFolder(await readTarball(packed, all)))
  const { name, version, publisher } = identify(files)
  return {
    name,
    version,
    publisher,
    id: pluginId({ publisher, name }),
    files,
    integrity: integrityOf(packed),
    digest: digestOf(hashAll(files)),
    packedBytes: packed.length,
    unpackedBytes: [...files.values()].reduce((sum, { length }) => sum + length, 0),
  }
}

/** Subresource integrity of `bytes`, as npm writes it. */
export function integrityOf(bytes: Uint8Array): string {
  return `sha512-${createHash('sha512').update(bytes).digest('base64')}`
}

/** Files without the one folder that all of them lie in, `package` as a rule. */
function stripTopFolder(entries: readonly TarFile[]): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>()
  const paths = new PathSet()
  let top: string | undefined
  for (const { name, bytes } of entries) {
    const problem = findPathProblem(name)
    if (problem) throw badPath(name, problem)
    const slash = name.indexOf('/')
    top ??= name.slice(0, slash)
    if (slash < 0 || name.slice(0, slash) !== top) {
      throw archiveError('E_ARCHIVE_LAYOUT', `"${name}" lies outside the archive's one folder "${top}"`, {
        hint: 'Pack it with huitou plugin pack or npm pack, which put all files into "package".',
        entry: name,
      })
    }
    const path = name.slice(slash + 1)
    const collision = paths.add(path)
    if (collision) throw badPath(path, collision)
    files.set(path, bytes)
  }
  return files
}

function badPath(entry: string, problem: string): Error {
  return archiveError('E_ARCHIVE_PATH', `The archive's file ${JSON.stringify(entry)} ${problem}`, {
    hint: 'Rename the file in the plugin and pack it again.',
    entry,
  })
}

function identify(files: ReadonlyMap<string, Uint8Array>): Record<'name' | 'version' | 'publisher', string> {
  const bytes = files.get('package.json')
  if (!bytes) throw noPlugin('has no package.json')
  let manifest: unknown
  try {
    manifest = JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch (cause) {
    throw noPlugin(`has a package.json that is not JSON: ${(cause as Error).message}`)
  }
  const { name, version, publisher } = { ...(manifest as Record<string, unknown>) }
  if (typeof publisher !== 'string') throw noPlugin('names no publisher in its package.json')
  if (typeof name !== 'string' || typeof version !== 'string') throw noPlugin('has neither name nor version')
  return { name, version, publisher }
}

function noPlugin(problem: string): Error {
  return archiveError('E_ARCHIVE_NO_PLUGIN', `The archive is no plugin: it ${problem}`, {
    hint: 'A plugin is a package whose package.json has publisher, name, version and engines.huitou.',
    entry: 'package.json',
  })
}

function sortByPath(files: Map<string, Uint8Array>): Map<string, Uint8Array> {
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)))
}

async function readUpTo(path: string, limit: number): Promise<Uint8Array> {
  const file = await open(path).catch((cause: NodeJS.ErrnoException) => {
    throw archiveError('E_ARCHIVE_FILE', `${path} cannot be opened: ${cause.message}`, {
      hint: 'Name the .tgz file of a plugin.',
      cause,
    })
  })
  try {
    const stats = await file.stat()
    if (!stats.isFile()) throw noFile(path)
    if (stats.size > limit) throw tooLarge(limit)
    return await file.readFile()
  } finally {
    await file.close()
  }
}

function noFile(path: string): Error {
  return archiveError('E_ARCHIVE_FILE', `${path} is not a file`, { hint: 'Name the .tgz file of a plugin.' })
}

function tooLarge(limit: number): Error {
  return archiveError('E_ARCHIVE_TOO_LARGE', `The archive is larger than ${megabytes(limit)}`, {
    hint: 'Leave out of the package what the plugin does not need to run.',
  })
}
