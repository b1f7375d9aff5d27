import { randomUUID } from 'node:crypto'
import { readdir, rename, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { AppError, notFound, userError } from '@huitou/plugin-api'
import semver from 'semver'
import { openArchive } from './archive.ts'
import { describeArchive, newestOf } from './describe.ts'
import type { AvailablePlugin, AvailableVersion } from './registry.ts'

/** One package of a folder, as `index.json` lists it. */
export interface IndexedVersion extends AvailablePlugin {
  keywords: string[]
  /** Name of the `.tgz` beside `index.json`. */
  file: string
  packedBytes: number
  integrity: string
}

/** What `index.json` holds: every package of a folder. */
export interface PluginIndex {
  format: 'huitou-plugins'
  version: 1
  packages: IndexedVersion[]
}

export interface IndexProblem {
  file: string
  code: string
  message: string
}

export const INDEX_FILE = 'index.json'
const MAX_RESULTS = 50

/** Reads what packages lie in `dir`. Those that cannot be installed are named with the reason, and left out. */
export async function readPackages(
  dir: string,
  known: Map<string, IndexedVersion> = new Map(),
): Promise<{ index: PluginIndex; problems: IndexProblem[] }> {
  const problems: IndexProblem[] = []
  const packages: IndexedVersion[] = []
  for (const file of await archivesIn(dir)) {
    const { size, mtimeMs } = await stat(path.join(dir, file))
    const key = `${file}:${size}:${mtimeMs}`
    try {
      const entry = known.get(key) ?? (await readPackage(dir, file))
      known.set(key, entry)
      const twin = packages.find(({ name, version }) => name === entry.name && version === entry.version)
      if (twin) throw userError('E_VERSION_EXISTS', `${entry.name} ${entry.version} is ${twin.file} already`)
      packages.push(entry)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      problems.push({ file, code: error.code, message: error.message })
    }
  }
  packages.sort((a, b) =>
    a.name === b.name ? semver.rcompare(a.version, b.version) : a.name < b.name ? -1 : 1,
  )
  return { index: { format: 'huitou-plugins', version: 1, packages }, problems }
}

/** Writes `index.json` for the packages in `dir`; the same packages give the same bytes. */
export async function writeIndex(dir: string): Promise<{ index: PluginIndex; problems: IndexProblem[] }> {
  const found = await readPackages(dir)
  const beside = path.join(dir, `.${INDEX_FILE}.${randomUUID()}`)
  await writeFile(beside, `${JSON.stringify(found.index, null, 2)}\n`)
  await rename(beside, path.join(dir, INDEX_FILE))
  return found
}

/** The packages that an `index.json` lists; undefined when it is no such file. Entries that make no sense are left out. */
export function findPackages(value: unknown): IndexedVersion[] | undefined {
  const { format, packages } = { ...(value as Partial<PluginIndex>) }
  if (format !== 'huitou-plugins' || !Array.isArray(packages)) return undefined
  return packages.filter(isIndexed)
}

/** The newest version of each plugin that all words of `text` are found in, by name. */
export function searchPackages(packages: readonly IndexedVersion[], text: string): AvailablePlugin[] {
  const words = fold(text).split(/\s+/).filter(Boolean)
  return [...Map.groupBy(packages, ({ name }) => name).values()]
    .map((versions) => pickIndexed(versions, versions[0]!.name, 'latest'))
    .filter((entry) => words.every((word) => searchText(entry).includes(word)))
    .slice(0, MAX_RESULTS)
    .map(({ file: _, packedBytes: __, integrity: ___, keywords: ____, ...line }) => line)
}

/** The package that `name` and `wanted`, a version or `latest`, stand for. Throws `E_NOT_FOUND`. */
export function pickIndexed(
  packages: readonly IndexedVersion[],
  name: string,
  wanted: string,
): IndexedVersion {
  const versions = packages.filter((entry) => entry.name === name)
  if (versions.length === 0) throw notFound('Plugin', name)
  const version = wanted === 'latest' ? newestOf(versions.map((entry) => entry.version)) : wanted
  const found = versions.find((entry) => entry.version === version)
  if (!found) throw notFound('Version', `${name} ${wanted}`)
  return found
}

/** Newest first. */
export function versionsOf(packages: readonly IndexedVersion[], name: string): AvailableVersion[] {
  return packages
    .filter((entry) => entry.name === name)
    .toSorted((a, b) => semver.rcompare(a.version, b.version))
    .map(({ version, engine }) => ({ version, engine }))
}

async function readPackage(dir: string, file: string): Promise<IndexedVersion> {
  const archive = await openArchive(path.join(dir, file))
  const { name, id, publisher, version, displayName, description, icon, categories, engine } =
    describeArchive(archive)
  if (semver.valid(version) !== version) {
    throw userError('E_MANIFEST', `The version ${JSON.stringify(version)} is not a semantic version`)
  }
  const { keywords } = JSON.parse(Buffer.from(archive.files.get('package.json')!).toString('utf8'))
  return {
    ...{ name, id, publisher, version, displayName, description, ...(icon !== undefined && { icon }) },
    ...{ categories, engine, keywords: Array.isArray(keywords) ? keywords.map(String) : [] },
    ...{ file, packedBytes: archive.packedBytes, integrity: archive.integrity },
  }
}

async function archivesIn(dir: string): Promise<string[]> {
  try {
    const entries = await readdir(dir, { withFileTypes: true })
    return entries
      .filter((entry) => entry.isFile() && entry.name.endsWith('.tgz') && !entry.name.startsWith('.'))
      .map(({ name }) => name)
      .sort()
  } catch (cause) {
    throw userError('E_REGISTRY_SETTING', `The folder ${dir} cannot be read: ${(cause as Error).message}`, {
      hint: 'Name a folder that holds .tgz files.',
      cause,
    })
  }
}

function isIndexed(value: unknown): value is IndexedVersion {
  const entry = { ...(value as Record<string, unknown>) }
  const texts = ['name', 'id', 'publisher', 'version', 'engine', 'file', 'integrity']
  return (
    texts.every((key) => typeof entry[key] === 'string') &&
    semver.valid(entry['version'] as string) !== null &&
    Array.isArray(entry['categories']) &&
    [entry['displayName'], entry['description']].every(
      (each) => typeof { ...(each as object as { en: unknown }) }.en === 'string',
    )
  )
}

function searchText({ name, id, displayName, description, categories, keywords }: IndexedVersion): string {
  const texts = [
    ...Object.values(displayName),
    ...Object.values(description),
    ...categories,
    ...(keywords ?? []),
  ]
  return fold([name, id, ...texts].join('\n'))
}

function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase()
}
