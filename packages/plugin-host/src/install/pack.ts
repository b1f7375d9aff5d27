// eslint-disable-next-line @typescript-eslint/triple-slash-reference -- whoever compiles this file needs these types
/// <reference path="./npm-modules.d.ts" />
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { findingsError } from '../manifest-errors.ts'
import { readManifest } from '../manifest.ts'
import { openArchive } from './archive.ts'
import type { PluginArchive } from './archive.ts'
import { FILES_FILE, SIGNATURE_FILE } from './file-list.ts'
import { signFiles } from './signature.ts'
import type { SigningKey } from './signature.ts'
import { findPackWarnings } from './pack-warnings.ts'
import type { PackWarning } from './pack-warnings.ts'
import { archiveError, writeTarball } from './tarball.ts'

/** What working on a plugin leaves in its folder: data of `huitou plugin dev`, and what was packed before. */
const DEV_DATA = '.huitou/'
const OWN_ARCHIVE = /^[^/]+\.tgz$/

/** A plugin, packed. */
export interface PackedPlugin {
  /** The same, byte for byte, for the same files. */
  bytes: Uint8Array
  /** As npm names it: `acme-tea-1.0.0.tgz`. */
  fileName: string
  archive: PluginArchive
  warnings: PackWarning[]
}

/**
 * Packs the plugin in `dir` as `npm pack` would: what "files" in package.json, `.npmignore` and `.gitignore` say.
 * Throws `E_MANIFEST` for a manifest that does not hold, `E_ARCHIVE…` for what Huitou would refuse to install.
 */
export async function packPlugin(dir: string, key?: SigningKey): Promise<PackedPlugin> {
  const { manifest } = await readManifest(dir)
  const files = await readPackedFiles(dir)
  if (manifest.main !== undefined && !files.has(path.posix.normalize(manifest.main))) {
    throw findingsError('E_MANIFEST', path.join(dir, 'package.json'), [
      {
        path: 'main',
        value: manifest.main,
        fix: 'build the plugin first, and name the built file under "files"',
      },
    ])
  }
  return { ...(await packFiles(files, key)), warnings: await findPackWarnings(files) }
}

/** Signs a package anew: the contents stay, list and signature are added or replaced. */
export async function signArchive(
  archive: PluginArchive,
  key: SigningKey,
): Promise<Omit<PackedPlugin, 'warnings'>> {
  return packFiles(archive.files, key)
}

/**
 * Writes list and signature into the plugin's folder, for those who let npm pack it: what `npm pack` would take is
 * what is signed. Throws `E_MANIFEST` when "files" in package.json leaves the signature out.
 */
export async function signFolder(dir: string, key: SigningKey): Promise<string[]> {
  await readManifest(dir)
  const signed = signFiles(await readPackedFiles(dir), key)
  for (const name of [FILES_FILE, SIGNATURE_FILE]) await writeFile(path.join(dir, name), signed.get(name)!)
  const packed = await readPackedFiles(dir)
  if (packed.has(FILES_FILE) && packed.has(SIGNATURE_FILE)) return [...signed.keys()].sort()
  throw findingsError('E_MANIFEST', path.join(dir, 'package.json'), [
    {
      path: 'files',
      value: 'without the signature',
      fix: `add "${FILES_FILE}" and "${SIGNATURE_FILE}" to it`,
    },
  ])
}

async function packFiles(
  files: ReadonlyMap<string, Uint8Array>,
  key?: SigningKey,
): Promise<Omit<PackedPlugin, 'warnings'>> {
  const all = key ? signFiles(files, key) : files
  const sorted = [...all].sort(([a], [b]) => (a < b ? -1 : 1))
  const bytes = await writeTarball(
    sorted.map(([name, content]) => ({ name: `package/${name}`, bytes: content })),
  )
  // What cannot be opened should not be published.
  const archive = await openArchive(bytes)
  return { bytes, archive, fileName: fileNameOf(archive) }
}

async function readPackedFiles(dir: string): Promise<Map<string, Uint8Array>> {
  const packageJson = JSON.parse(await readFile(path.join(dir, 'package.json'), 'utf8')) as {
    files?: unknown
  }
  const { files: wanted } = packageJson
  if (
    wanted !== undefined &&
    !(Array.isArray(wanted) && wanted.every((entry) => typeof entry === 'string'))
  ) {
    throw findingsError('E_MANIFEST', path.join(dir, 'package.json'), [
      { path: 'files', value: wanted, fix: 'make it a list of names' },
    ])
  }
  const { default: packlist } = await import('npm-packlist')
  const listed = await packlist({ path: dir, package: packageJson, isProjectRoot: true, edgesOut: new Map() })
  const names = listed.filter((name) => !name.startsWith(DEV_DATA) && !OWN_ARCHIVE.test(name))
  return new Map(await Promise.all(names.map(async (name) => [name, await readOne(dir, name)] as const)))
}

async function readOne(dir: string, name: string): Promise<Uint8Array> {
  try {
    return await readFile(path.join(dir, name))
  } catch (cause) {
    throw archiveError(
      'E_ARCHIVE_FILE',
      `${path.join(dir, name)} cannot be read: ${(cause as Error).message}`,
      {
        hint: 'Allow it to be read, or leave it out of the package.',
        entry: name,
        cause,
      },
    )
  }
}

function fileNameOf({ name, version }: PluginArchive): string {
  return `${name.replace(/^@/, '').replaceAll('/', '-')}-${version}.tgz`
}
