import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { AppError, notFound, userError } from '@huitou/plugin-api'
import type { ResolvedManifest } from '@huitou/plugin-api'
import semver from 'semver'
import { findingsError } from '../manifest-errors.ts'
import { readManifest } from '../manifest.ts'
import type { PluginArchive } from './archive.ts'
import { findPathProblem } from './entry-path.ts'
import { compareFiles, digestOf, hashAll, isSame, SIGNATURE_FILE } from './file-list.ts'
import type { FileDifference, FileHashes } from './file-list.ts'
import { readFiles } from './folder-files.ts'
import { checkSignature } from './signature.ts'
import type { SignatureCheck, TrustedKey } from './signature.ts'

/** Where a package came from: a registry's id, `upload`, or a path. */
export type PackageSource = string

/** A version that lies in the store. */
export interface StoredVersion {
  id: string
  version: string
  /** Absolute; what the host gets as `PluginLocation.dir`. */
  dir: string
  /** Of all files without their signature, `sha256-…`; the same on every node. */
  digest: string
  /** Of the archive it came from, `sha512-…`. */
  integrity: string
  source: PackageSource
  /** Epoch ms. */
  installedAt: number
  files: number
  bytes: number
  /** As found when it was put there; {@link PluginStore.verify} says how it is now. */
  signature: SignatureCheck
}

export interface StagedVersion extends StoredVersion {
  manifest: ResolvedManifest
}

export interface Verification extends FileDifference {
  /** `broken` as well when an unsigned version's files are not those that were installed. */
  signature: SignatureCheck
  /** Whether files and digest are those that were installed. */
  intact: boolean
}

export interface StageOptions {
  source: PackageSource
  trust?: readonly TrustedKey[]
  /** For tests; epoch ms. */
  now?: number
}

export interface VerifyOptions {
  trust?: readonly TrustedKey[]
  /** What the owner decided on; without it the store's own record counts. */
  digest?: string
}

/** What stands beside a version's folder. */
interface VersionRecord extends Omit<StoredVersion, 'dir' | 'files'> {
  format: 1
  /** Of every file, signature included. */
  hashes: FileHashes
}

const STAGING = '.staging'
const PACKAGE = 'package'
const RECORD = 'installed.json'
const STALE_MS = 3_600_000
const MAX_NAMED = 20

/**
 * The versions of plugins in a data folder, side by side in `<root>/<id>/<version>/`: `package` is the plugin,
 * `installed.json` says what it consisted of. One rename puts both there. Runs no code of theirs.
 */
export class PluginStore {
  readonly root: string

  constructor(root: string) {
    this.root = path.resolve(root)
  }

  /**
   * Puts a package there, whole or not at all. A version that lies there already with the same contents stays;
   * with others it is `E_VERSION_EXISTS`. Throws `E_MANIFEST` for a manifest that does not hold.
   */
  async stage(archive: PluginArchive, options: StageOptions): Promise<StagedVersion> {
    const { id, version } = archive
    const staging = this.#newStaging()
    try {
      await unpack(archive.files, path.join(staging, PACKAGE))
      const manifest = await readManifestOf(archive, path.join(staging, PACKAGE))
      const record = recordOf(archive, options)
      await writeFile(path.join(staging, RECORD), `${JSON.stringify(record, null, 2)}\n`)
      await this.#putInPlace(staging, record)
      return { ...(await this.get(id, version)), manifest }
    } finally {
      await rm(staging, { recursive: true, force: true })
    }
  }

  /** Versions of one plugin, or of all; newest first within a plugin. */
  async list(id?: string): Promise<StoredVersion[]> {
    const ids = id === undefined ? await foldersIn(this.root) : [checkedName(id)]
    const versions = await Promise.all(
      ids.map(async (each) => {
        const names = await foldersIn(path.join(this.root, each))
        const found = await Promise.all(names.map((name) => this.find(each, name)))
        return found
          .filter((version) => version !== undefined)
          .sort((a, b) => semver.rcompare(a.version, b.version))
      }),
    )
    return versions.flat()
  }

  async find(id: string, version: string): Promise<StoredVersion | undefined> {
    const record = await this.#findRecord(id, version)
    if (!record) return undefined
    const { format: _, hashes, ...stored } = record
    return {
      ...stored,
      dir: path.join(this.#folder(id, version), PACKAGE),
      files: Object.keys(hashes).length,
    }
  }

  /** Throws `E_NOT_FOUND` for a version that is not there. */
  async get(id: string, version: string): Promise<StoredVersion> {
    const stored = await this.find(id, version)
    if (!stored) throw notFound('Plugin version', `${id} ${version}`)
    return stored
  }

  /**
   * Compares every file with what was installed, and the signature with the trust list; works offline. Throws
   * `E_NOT_FOUND` for a version that is not there.
   */
  async verify(id: string, version: string, options: VerifyOptions = {}): Promise<Verification> {
    const record = await this.#findRecord(id, version)
    if (!record) throw notFound('Plugin version', `${id} ${version}`)
    const { trust = [], digest = record.digest } = options
    const files = await readWhatIsThere(path.join(this.#folder(id, version), PACKAGE))
    const hashes = hashAll(files)
    const difference = compareFiles(record.hashes, hashes)
    const intact = isSame(difference) && digestOf(hashes) === digest
    const found = checkSignature(files, trust, hashes)
    const signature: SignatureCheck =
      intact || found.state === 'broken' ? found : { state: 'broken', reason: reasonOf(difference) }
    return { ...shorten(difference), intact, signature }
  }

  /** Removes one version, or all of a plugin. What is not there is gone already. */
  async remove(id: string, version?: string): Promise<void> {
    const target = version === undefined ? path.join(this.root, checkedName(id)) : this.#folder(id, version)
    // Out of the way first: of a removal that is cut short nothing half is found.
    const trash = this.#newStaging()
    await mkdir(path.dirname(trash), { recursive: true, mode: 0o700 })
    await rename(target, trash).catch(ignoreMissing)
    await rm(trash, { recursive: true, force: true })
  }

  /** Clears what interrupted installations left behind. For the start of a server. */
  async sweep(now = Date.now()): Promise<void> {
    const staging = path.join(this.root, STAGING)
    for (const name of await foldersIn(staging)) {
      const { mtimeMs } = await stat(path.join(staging, name))
      if (now - mtimeMs > STALE_MS) await rm(path.join(staging, name), { recursive: true, force: true })
    }
  }

  #folder(id: string, version: string): string {
    return path.join(this.root, checkedName(id), checkedName(version))
  }

  #newStaging(): string {
    return path.join(this.root, STAGING, randomUUID())
  }

  async #putInPlace(staging: string, record: VersionRecord): Promise<void> {
    const { id, version } = record
    const folder = this.#folder(id, version)
    const present = await this.#findRecord(id, version)
    if (present) {
      if (present.digest !== record.digest) throw exists(record)
      const { intact } = await this.verify(id, version)
      // Nothing to do, unless it was damaged, or lay there without the signature that it has now.
      if (intact && (present.hashes[SIGNATURE_FILE] || !record.hashes[SIGNATURE_FILE])) return
    }
    await this.remove(id, version)
    await mkdir(path.dirname(folder), { recursive: true, mode: 0o700 })
    await rename(staging, folder).catch((error: NodeJS.ErrnoException) => {
      // Somebody else put the same version there in this moment; theirs is as good when the files are the same.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    })
    if ((await this.#findRecord(id, version))?.digest !== record.digest) throw exists(record)
  }

  async #findRecord(id: string, version: string): Promise<VersionRecord | undefined> {
    const text = await readFile(path.join(this.#folder(id, version), RECORD), 'utf8').catch(ignoreMissing)
    if (text === undefined) return undefined
    try {
      return JSON.parse(text) as VersionRecord
    } catch {
      return undefined
    }
  }
}

function recordOf(
  archive: PluginArchive,
  { source, trust = [], now = Date.now() }: StageOptions,
): VersionRecord {
  const { id, version, digest, integrity, files, unpackedBytes: bytes } = archive
  const hashes = hashAll(files)
  const signature = checkSignature(files, trust, hashes)
  return { format: 1, id, version, digest, integrity, source, installedAt: now, bytes, signature, hashes }
}

async function unpack(files: ReadonlyMap<string, Uint8Array>, target: string): Promise<void> {
  const folders = new Set([...files.keys()].map((name) => path.join(target, path.dirname(name))))
  for (const folder of [target, ...folders]) await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const [name, bytes] of files) {
    await writeFile(path.join(target, name), bytes, { flag: 'wx', mode: 0o644 })
  }
}

async function readManifestOf(archive: PluginArchive, dir: string): Promise<ResolvedManifest> {
  const { manifest } = await readManifest(dir).catch((error: unknown) => {
    throw error instanceof AppError ? withoutFolder(error, dir) : error
  })
  const { main, version } = manifest
  if (semver.valid(version) !== version)
    throw wrong('version', version, 'write a semantic version such as 1.2.0')
  if (main !== undefined && !archive.files.has(path.posix.normalize(main))) {
    throw wrong('main', main, 'build the plugin before packing it, and name the built file under "files"')
  }
  return manifest
}

function wrong(key: string, value: unknown, fix: string): AppError {
  return findingsError('E_MANIFEST', 'package.json', [{ path: key, value, fix }])
}

/** The folder is gone when somebody reads the message. */
function withoutFolder({ code, message, hint, details }: AppError, dir: string): AppError {
  const file = String(details?.['file'] ?? '').replace(`${dir}${path.sep}`, '')
  return userError(code, message.replaceAll(`${dir}${path.sep}`, ''), {
    ...(hint !== undefined && { hint }),
    details: { ...details, file },
  })
}

/** A link or a device is no file: its contents are none that was installed. */
async function readWhatIsThere(dir: string): Promise<Map<string, Uint8Array>> {
  return (await readFiles(dir, () => Buffer.from('no file')).catch(ignoreMissing)) ?? new Map()
}

function shorten({ changed, added, missing }: FileDifference): FileDifference {
  return {
    changed: changed.slice(0, MAX_NAMED),
    added: added.slice(0, MAX_NAMED),
    missing: missing.slice(0, MAX_NAMED),
  }
}

function reasonOf({ changed, added, missing }: FileDifference): string {
  if (changed[0]) return `"${changed[0]}" was changed after it was installed`
  if (missing[0]) return `"${missing[0]}" is gone`
  if (added[0]) return `"${added[0]}" was added after it was installed`
  return 'The files are not those that the owner decided on'
}

function exists({ id, version }: VersionRecord): Error {
  return userError('E_VERSION_EXISTS', `${id} ${version} is here already, with other contents`, {
    status: 409,
    hint: 'A published version never changes: raise the version, or remove the one that is here first.',
    details: { id, version },
  })
}

/** Ids and versions become names of folders, and come from outside. */
function checkedName(name: string): string {
  if (/^[a-z0-9][\w.+-]*$/i.test(name) && findPathProblem(name) === undefined) return name
  throw notFound('Plugin', name)
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(ignoreMissing)
  return (entries ?? [])
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .sort()
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined
  throw error
}
