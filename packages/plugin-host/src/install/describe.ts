import type { Manifest, ResolvedManifest, Texts } from '@huitou/plugin-api'
import { pluginId } from '@huitou/plugin-api'
import manifestSchema from '@huitou/plugin-api/manifest.schema.json' with { type: 'json' }
import semver from 'semver'
import { localize } from '../localize.ts'
import type { PluginArchive } from './archive.ts'
import type { AvailableDetails, AvailablePlugin, AvailableVersion } from './registry.ts'
import { checkSignature } from './signature.ts'

const manifestKeys = Object.keys(manifestSchema.properties)

/** What a package says about itself, for a page that shows it before it is installed. Nothing is checked. */
export function describeArchive(archive: PluginArchive): Omit<AvailableDetails, 'versions'> {
  const source = JSON.parse(textOf(archive, 'package.json')!) as Record<string, unknown>
  const known = Object.fromEntries(Object.entries(source).filter(([key]) => manifestKeys.includes(key)))
  const { manifest } = localize(known as unknown as Manifest, {
    en: dictionaryOf(archive, 'package.nls.json'),
    'zh-CN': dictionaryOf(archive, 'package.nls.zh-CN.json'),
  })
  const [en, zh] = [textOf(archive, 'README.md'), textOf(archive, 'README.zh-CN.md')]
  const any = en ?? zh
  return {
    ...summarise(source, manifest)!,
    manifest,
    readme: any === undefined ? undefined : { en: en ?? any, 'zh-CN': zh ?? any },
    changelog: textOf(archive, 'CHANGELOG.md'),
    signature: checkSignature(archive.files),
    packedBytes: archive.packedBytes,
    unpackedBytes: archive.unpackedBytes,
  }
}

/**
 * The line of a list, from a `package.json` as a registry keeps it and, when at hand, its texts. Undefined when this
 * is no plugin.
 */
export function summarise(source: unknown, manifest?: ResolvedManifest): AvailablePlugin | undefined {
  const { name, version, publisher, engines, icon, categories } = { ...(source as Record<string, unknown>) }
  const engine = { ...(engines as Record<string, unknown>) }['huitou']
  if (typeof name !== 'string' || typeof version !== 'string') return undefined
  if (typeof publisher !== 'string' || typeof engine !== 'string') return undefined
  const texts = { ...(source as Record<string, unknown>), ...manifest }
  return {
    name,
    id: pluginId({ publisher, name }),
    publisher,
    version,
    displayName: toTexts(texts['displayName'], name.replace(/^@[^/]+\//, '')),
    description: toTexts(texts['description'], ''),
    ...(typeof icon === 'string' && /^[a-z0-9-]+$/.test(icon) && { icon }),
    categories: Array.isArray(categories) ? categories.filter((each) => typeof each === 'string') : [],
    engine,
  }
}

/** Whether a registry keeps only the keys of a plugin's texts. */
export function needsTexts(source: unknown): boolean {
  const { displayName, description } = { ...(source as Record<string, unknown>) }
  return [displayName, description].some(isKey)
}

/** Newest first; the first is the newest that is no pre-release, if there is such a one. */
export function newestOf(versions: readonly string[]): string | undefined {
  const sorted = versions.filter((version) => semver.valid(version) === version).toSorted(semver.rcompare)
  return sorted.find((version) => semver.prerelease(version) === null) ?? sorted[0]
}

/** The newest version that runs on this API, else the newest of all. */
export function newestCompatible(
  versions: readonly AvailableVersion[],
  apiVersion: string,
): string | undefined {
  const fitting = versions.filter(
    ({ engine }) => engine === undefined || semver.satisfies(apiVersion, engine, { includePrerelease: true }),
  )
  return newestOf(fitting.map(({ version }) => version)) ?? newestOf(versions.map(({ version }) => version))
}

function toTexts(value: unknown, fallback: string): Texts {
  if (typeof value === 'string' && !isKey(value)) return { en: value, 'zh-CN': value }
  const { en, 'zh-CN': zh } = { ...(value as Partial<Texts>) }
  if (typeof en !== 'string' || isKey(en)) return { en: fallback, 'zh-CN': fallback }
  return { en, 'zh-CN': typeof zh === 'string' && !isKey(zh) ? zh : en }
}

function isKey(value: unknown): boolean {
  return typeof value === 'string' && /^%[^%]+%$/.test(value)
}

function textOf({ files }: PluginArchive, name: string): string | undefined {
  const bytes = files.get(name)
  return bytes && Buffer.from(bytes).toString('utf8')
}

function dictionaryOf(archive: PluginArchive, name: string): Record<string, string> {
  try {
    return JSON.parse(textOf(archive, name) ?? '{}') as Record<string, string>
  } catch {
    return {}
  }
}
