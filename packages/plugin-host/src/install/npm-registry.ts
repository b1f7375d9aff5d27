import { notFound } from '@huitou/plugin-api'
import semver from 'semver'
import { openArchive, defaultArchiveLimits } from './archive.ts'
import { describeArchive, needsTexts, newestOf, summarise } from './describe.ts'
import { badAnswer, httpGet, httpGetJson } from './http-get.ts'
import { checkIntegrity } from './integrity.ts'
import { readNpmSettings } from './npm-settings.ts'
import type { NpmSettings, NpmSettingsSource } from './npm-settings.ts'
import { checkedPackage } from './registry.ts'
import type {
  AvailableDetails,
  AvailablePlugin,
  AvailableVersion,
  Download,
  Registry,
  RegistryCallOptions,
} from './registry.ts'

export interface NpmRegistryOptions extends NpmSettingsSource {
  id: string
  title: string
  /** For one answer; a package gets four times as long. */
  timeoutMs?: number
}

interface PackageVersion {
  version: string
  dist?: { tarball?: unknown; integrity?: unknown; unpackedSize?: unknown }
  engines?: { huitou?: unknown }
  deprecated?: unknown
}

interface Packument {
  'dist-tags'?: Record<string, string>
  versions: Record<string, PackageVersion>
  time?: Record<string, string>
}

const KEYWORD = 'huitou-plugin'
const MAX_RESULTS = 50
const AT_ONCE = 6
const TIMEOUT_MS = 15_000
const MAX_LIST_BYTES = 5_000_000
const MAX_PACKUMENT_BYTES = 30_000_000
/** A list is not worth more than this for the texts of one line. */
const MAX_TEXTS_BYTES = 2_000_000
const MAX_KNOWN_TEXTS = 500

/** Plugins in a registry that speaks npm's protocol: npm's own, Verdaccio, Nexus, Artifactory, mirrors. */
export function npmRegistry(options: NpmRegistryOptions): Registry {
  return new NpmRegistry(options)
}

class NpmRegistry implements Registry {
  readonly id: string
  readonly title: string
  readonly #source: NpmSettingsSource
  readonly #timeoutMs: number
  /** Lines of lists by integrity of the package that their texts are from. */
  readonly #known = new Map<string, AvailablePlugin>()

  constructor({ id, title, timeoutMs = TIMEOUT_MS, ...source }: NpmRegistryOptions) {
    this.id = id
    this.title = title
    this.#source = source
    this.#timeoutMs = timeoutMs
  }

  async search(text: string, { signal }: RegistryCallOptions = {}): Promise<AvailablePlugin[]> {
    const settings = await readNpmSettings(this.#source)
    const { scope } = this.#source
    // Registries that do not know the qualifier look for the words as they stand, and find nothing.
    const named = await this.#searchNames(`keywords:${KEYWORD} ${text}`.trim(), settings, signal)
    const names = named.length > 0 ? named : await this.#searchNames(text, settings, signal)
    const wanted = names
      .filter((name) => scope === undefined || name.startsWith(`${scope}/`))
      .slice(0, MAX_RESULTS)
    const lines = await mapAtOnce(wanted, (name) => this.#summary(name, settings, signal))
    return lines.filter((line) => line !== undefined)
  }

  async details(
    name: string,
    { signal, version }: RegistryCallOptions & { version?: string } = {},
  ): Promise<AvailableDetails> {
    const settings = await this.#settingsFor(name)
    const packument = await this.#packument(name, settings, signal)
    const { archive } = await this.#download(
      name,
      pick(name, packument, version ?? 'latest'),
      settings,
      signal,
    )
    return { ...describeArchive(archive), versions: versionsOf(packument) }
  }

  async download(name: string, version: string, { signal }: RegistryCallOptions = {}): Promise<Download> {
    const settings = await this.#settingsFor(name)
    const packument = await this.#packument(name, settings, signal)
    return this.#download(name, pick(name, packument, version), settings, signal)
  }

  /** A scope may have a registry of its own, unless the owner named one for all. */
  #settingsFor(name: string): Promise<NpmSettings> {
    const scope = /^(@[^/]+)\//.exec(name)?.[1]
    return readNpmSettings({ ...this.#source, scope: scope ?? this.#source.scope })
  }

  async #searchNames(
    text: string,
    settings: NpmSettings,
    signal: AbortSignal | undefined,
  ): Promise<string[]> {
    const url = new URL('-/v1/search', settings.url)
    url.searchParams.set('text', text)
    url.searchParams.set('size', String(MAX_RESULTS))
    const answer = await this.#json(url, MAX_LIST_BYTES, settings, signal)
    const { objects } = { ...(answer as { objects?: unknown }) }
    if (!Array.isArray(objects)) throw badAnswer(url, 'is no list of packages')
    return objects.flatMap((object: { package?: { name?: unknown; keywords?: unknown } } | null) => {
      const { name, keywords } = { ...object?.package }
      const isOther = Array.isArray(keywords) && !keywords.includes(KEYWORD)
      return typeof name === 'string' && isPackageName(name) && !isOther ? [name] : []
    })
  }

  /** One line of a list. A package that cannot be read is no reason not to show the others. */
  async #summary(
    name: string,
    settings: NpmSettings,
    signal: AbortSignal | undefined,
  ): Promise<AvailablePlugin | undefined> {
    try {
      const latest = await this.#latest(name, settings, signal)
      const line = summarise(latest)
      if (!line || !needsTexts(latest)) return line
      return (await this.#withTexts(line, latest, settings, signal)) ?? line
    } catch {
      signal?.throwIfAborted()
      return undefined
    }
  }

  async #latest(
    name: string,
    settings: NpmSettings,
    signal: AbortSignal | undefined,
  ): Promise<PackageVersion> {
    const url = new URL(`${encodeURIComponent(name).replace('%40', '@')}/latest`, settings.url)
    try {
      return (await this.#json(url, MAX_LIST_BYTES, settings, signal)) as PackageVersion
    } catch {
      signal?.throwIfAborted()
      // Not every registry answers for one version.
      return pick(name, await this.#packument(name, settings, signal), 'latest')
    }
  }

  /** A registry keeps the keys of the texts; the texts themselves are in the package. */
  async #withTexts(
    line: AvailablePlugin,
    latest: PackageVersion,
    settings: NpmSettings,
    signal: AbortSignal | undefined,
  ): Promise<AvailablePlugin | undefined> {
    const integrity = String(latest.dist?.integrity)
    const known = this.#known.get(integrity)
    if (known) return known
    if (Number(latest.dist?.unpackedSize ?? 0) > MAX_TEXTS_BYTES) return undefined
    const archive = await this.#download(line.name, latest, settings, signal).catch(() => undefined)
    if (!archive) return undefined
    const { manifest } = describeArchive(archive.archive)
    const full = summarise(latest, manifest)
    if (full) this.#known.set(integrity, full)
    if (this.#known.size > MAX_KNOWN_TEXTS) this.#known.delete(this.#known.keys().next().value!)
    return full
  }

  async #packument(name: string, settings: NpmSettings, signal: AbortSignal | undefined): Promise<Packument> {
    if (!isPackageName(name)) throw notFound('Package', name)
    const url = new URL(encodeURIComponent(name).replace('%40', '@'), settings.url)
    const answer = await this.#json(url, MAX_PACKUMENT_BYTES, settings, signal)
    const { versions } = { ...(answer as Partial<Packument>) }
    if (typeof versions !== 'object' || versions === null) throw badAnswer(url, 'describes no package')
    return answer as Packument
  }

  async #download(
    name: string,
    { version, dist }: PackageVersion,
    settings: NpmSettings,
    signal: AbortSignal | undefined,
  ): Promise<Download> {
    const url = URL.parse(String(dist?.tarball), settings.url)
    if (!url || !/^https?:$/.test(url.protocol))
      throw badAnswer(settings.url, `names no package for ${name} ${version}`)
    // A registry behind a proxy often does not know that it is reached over https.
    if (settings.url.protocol === 'https:' && url.hostname === settings.url.hostname) url.protocol = 'https:'
    const bytes = await httpGet(url, {
      limit: defaultArchiveLimits.packedBytes,
      timeoutMs: this.#timeoutMs * 4,
      authorize: settings.authorize,
      signal,
    })
    checkIntegrity(bytes, dist?.integrity, `${name} ${version}`)
    const archive = checkedPackage(await openArchive(bytes), { name, version })
    return { name, version, bytes, integrity: archive.integrity, archive }
  }

  #json(
    url: URL,
    limit: number,
    { authorize }: NpmSettings,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    return httpGetJson(url, { limit, timeoutMs: this.#timeoutMs, authorize, signal })
  }
}

function pick(name: string, packument: Packument, wanted: string): PackageVersion {
  const tagged = packument['dist-tags']?.[wanted]
  const newest = wanted === 'latest' ? newestOf(Object.keys(packument.versions)) : undefined
  const version = tagged ?? newest ?? wanted
  const found = Object.hasOwn(packument.versions, version) ? packument.versions[version] : undefined
  if (!found) throw notFound('Version', `${name} ${wanted}`)
  return { ...found, version }
}

function versionsOf({ versions, time = {} }: Packument): AvailableVersion[] {
  return Object.keys(versions)
    .filter((version) => semver.valid(version) === version)
    .toSorted(semver.rcompare)
    .map((version) => {
      const { engines, deprecated } = versions[version]!
      const engine = { ...engines }.huitou
      return {
        version,
        ...(typeof time[version] === 'string' && { publishedAt: time[version] }),
        ...(typeof engine === 'string' && { engine }),
        ...(typeof deprecated === 'string' && deprecated !== '' && { deprecated }),
      }
    })
}

function isPackageName(name: string): boolean {
  return name.length <= 214 && /^(?:@[a-z0-9-~][a-z0-9-._~]*\/)?[a-z0-9-~][a-z0-9-._~]*$/.test(name)
}

async function mapAtOnce<T, R>(values: readonly T[], work: (value: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  let next = 0
  const worker = async () => {
    while (next < values.length) {
      const index = next
      next += 1
      results[index] = await work(values[index]!)
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, values.length) }, worker))
  return results
}
