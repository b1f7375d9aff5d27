import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { userError } from '@huitou/plugin-api'
import { defaultArchiveLimits, openArchive } from './archive.ts'
import { describeArchive } from './describe.ts'
import { badAnswer, httpGet, httpGetJson, masked } from './http-get.ts'
import { checkIntegrity } from './integrity.ts'
import {
  findPackages,
  INDEX_FILE,
  pickIndexed,
  readPackages,
  searchPackages,
  versionsOf,
} from './plugin-index.ts'
import type { IndexedVersion } from './plugin-index.ts'
import { checkedPackage } from './registry.ts'
import type {
  AvailableDetails,
  AvailablePlugin,
  Download,
  Registry,
  RegistryCallOptions,
} from './registry.ts'

/** Plugins that lie as `.tgz` files in a folder of this machine. It is read anew each time; no index is needed. */
export function folderRegistry(options: { id: string; title: string; path: string }): Registry {
  const known = new Map<string, IndexedVersion>()
  return new StaticRegistry(options, {
    list: async () => (await readPackages(options.path, known)).index.packages,
    read: ({ file }) => readFile(path.join(options.path, file)),
  })
}

export interface WebRegistryOptions {
  id: string
  title: string
  /** The folder that `index.json` lies in, or that file. */
  url: string
  /** Sent as `Authorization: Bearer …` to this server alone. */
  token?: string | undefined
  timeoutMs?: number
}

const TIMEOUT_MS = 15_000
const MAX_INDEX_BYTES = 10_000_000

/** Plugins on any web server: `.tgz` files beside the `index.json` that `huitou plugin index` writes. */
export function webRegistry({ timeoutMs = TIMEOUT_MS, token, ...options }: WebRegistryOptions): Registry {
  const base = parseBase(options.url)
  const authorize = (url: URL) =>
    token !== undefined && url.origin === base.origin ? `Bearer ${token}` : undefined
  return new StaticRegistry(options, {
    async list(signal) {
      const url = new URL(INDEX_FILE, base)
      const answer = await httpGetJson(url, { limit: MAX_INDEX_BYTES, timeoutMs, authorize, signal })
      const packages = findPackages(answer)
      if (!packages) throw badAnswer(url, 'is not the index of a folder of plugins')
      return packages
    },
    read({ file }, signal) {
      const url = URL.parse(file, base)
      if (url?.origin !== base.origin)
        throw badAnswer(base, `names a package elsewhere, ${JSON.stringify(file)}`)
      const limit = defaultArchiveLimits.packedBytes
      return httpGet(url, { limit, timeoutMs: timeoutMs * 4, authorize, signal })
    },
  })
}

interface PackageFolder {
  list(signal?: AbortSignal): Promise<IndexedVersion[]>
  read(entry: IndexedVersion, signal?: AbortSignal): Promise<Uint8Array>
}

class StaticRegistry implements Registry {
  readonly id: string
  readonly title: string
  readonly #folder: PackageFolder

  constructor({ id, title }: { id: string; title: string }, folder: PackageFolder) {
    this.id = id
    this.title = title
    this.#folder = folder
  }

  async search(text: string, { signal }: RegistryCallOptions = {}): Promise<AvailablePlugin[]> {
    return searchPackages(await this.#folder.list(signal), text)
  }

  async details(
    name: string,
    { signal, version = 'latest' }: RegistryCallOptions & { version?: string } = {},
  ): Promise<AvailableDetails> {
    const packages = await this.#folder.list(signal)
    const { archive } = await this.#read(pickIndexed(packages, name, version), signal)
    return { ...describeArchive(archive), versions: versionsOf(packages, name) }
  }

  async download(name: string, version: string, { signal }: RegistryCallOptions = {}): Promise<Download> {
    return this.#read(pickIndexed(await this.#folder.list(signal), name, version), signal)
  }

  async #read(entry: IndexedVersion, signal: AbortSignal | undefined): Promise<Download> {
    const { name, version } = entry
    const bytes = await this.#folder.read(entry, signal)
    checkIntegrity(bytes, entry.integrity, `${name} ${version}`)
    const archive = checkedPackage(await openArchive(bytes), entry)
    return { name, version, bytes, integrity: archive.integrity, archive }
  }
}

function parseBase(text: string): URL {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '') {
    throw userError('E_REGISTRY_SETTING', `"${masked(text)}" is no address of a folder of plugins`, {
      hint: 'Write https://… without name or password; a token is a setting of its own.',
    })
  }
  url.search = ''
  url.hash = ''
  if (url.pathname.endsWith(`/${INDEX_FILE}`)) url.pathname = url.pathname.slice(0, -INDEX_FILE.length)
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return url
}
