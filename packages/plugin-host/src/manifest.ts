import { readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import semver from 'semver'
import { AppError, columnPrefix, pluginId, userError } from '@huitou/plugin-api'
import type { Manifest, ResolvedManifest } from '@huitou/plugin-api'
import manifestSchema from '@huitou/plugin-api/manifest.schema.json' with { type: 'json' }
import { findWrongText, localize } from './localize.ts'
import { checkManifest } from './manifest-checks.ts'
import { findingsError, toFinding } from './manifest-errors.ts'
import { checkJourneys } from './manifest-journeys.ts'
import { validateManifest } from './manifest-validator.ts'
import { compileSettings } from './settings.ts'
import type { ResolveSettings } from './settings.ts'

/** A plugin's folder, read and found valid; none of its code has run. */
export interface LoadedManifest {
  readonly id: string
  readonly dir: string
  readonly columnPrefix: string
  readonly manifest: ResolvedManifest
  /** As it stands in the file: texts are keys. */
  readonly source: Manifest
  /** Absent for a plugin that only declares. */
  readonly entry: string | undefined
  readonly resolveSettings: ResolveSettings
}

const mebibyte = 1_048_576
/** The largest of ours has a tenth of it. Whatever is in it is checked while the server does nothing else. */
const mostBytes = mebibyte

const manifestKeys = Object.keys(manifestSchema.properties)

/**
 * Reads the manifest in `dir` with its texts. Throws `E_MANIFEST`, naming file, path, value and fix, when
 * anything in it is wrong.
 */
export async function readManifest(dir: string): Promise<LoadedManifest> {
  const file = join(dir, 'package.json')
  const read = await readJson(file)
  try {
    return await checked(dir, file, read)
  } catch (error) {
    // What checks it goes into it level by level.
    if (!(error instanceof RangeError)) throw error
    throw userError('E_MANIFEST', `${file} is nested too deeply`, { hint: 'Take levels out.', cause: error })
  }
}

async function checked(dir: string, file: string, read: unknown): Promise<LoadedManifest> {
  const source = pick(read, manifestKeys)
  if (!validateManifest(source)) {
    throw findingsError(
      'E_MANIFEST',
      file,
      (validateManifest.errors ?? [])
        // That a branch did not fit is said by what in it did not.
        .filter(({ keyword }) => keyword !== 'if')
        .map((error) => toFinding(error, source)),
    )
  }
  const { manifest, findings } = localize(source, {
    en: await readDictionary(join(dir, 'package.nls.json')),
    'zh-CN': await readDictionary(join(dir, 'package.nls.zh-CN.json')),
  })
  findings.push(...checkManifest(source, dir), ...checkJourneys(manifest.contributes?.journeys ?? []))
  if (findings.length > 0) throw findingsError('E_MANIFEST', file, findings)
  return {
    id: pluginId(source),
    dir,
    columnPrefix: columnPrefix(source),
    manifest,
    source,
    entry: source.main === undefined ? undefined : pathToFileURL(resolve(dir, source.main)).href,
    resolveSettings: compileSettings(pluginId(source), source.contributes?.configuration),
  }
}

/** Throws `E_ENGINE_RANGE` when the plugin asks for another plugin API than `apiVersion`. */
export function checkEngine({ id, manifest }: LoadedManifest, apiVersion: string): void {
  const range = manifest.engines.huitou
  if (semver.satisfies(apiVersion, range, { includePrerelease: true })) return
  throw userError(
    'E_ENGINE_RANGE',
    `Plugin "${id}" needs plugin API ${range}, this server has ${apiVersion}`,
    {
      hint: semver.ltr(apiVersion, range) ? 'Update Huitou.' : 'Update the plugin.',
    },
  )
}

async function readJson(file: string): Promise<unknown> {
  try {
    return parse(file, await readText(file))
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    throw userError('E_MANIFEST', `${file} cannot be read`, {
      hint: 'A plugin is a folder with a package.json.',
      cause,
    })
  }
}

async function readDictionary(file: string): Promise<Record<string, string>> {
  let texts: unknown
  try {
    texts = parse(file, await readText(file))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw cause
  }
  const wrong = findWrongText(texts)
  if (wrong !== undefined)
    throw userError('E_MANIFEST', `${file}: ${wrong} is not a text that can be shown`, {
      hint: 'Write { "key": "text" }, without characters that turn or hide what is shown.',
    })
  // Its keys are its own: nothing is found under the name of what every object has.
  return Object.assign(Object.create(null), texts) as Record<string, string>
}

async function readText(file: string): Promise<string> {
  const { size } = await stat(file)
  if (size <= mostBytes) return await readFile(file, 'utf8')
  throw userError('E_MANIFEST', `${file} has ${Math.ceil(size / mebibyte)} MB`, {
    hint: `Keep it below ${mostBytes / mebibyte} MB; data belongs into files of its own.`,
  })
}

function parse(file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw userError('E_MANIFEST', `${file} is not JSON: ${(cause as Error).message}`, { cause })
  }
}

function pick(value: unknown, keys: string[]): unknown {
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).filter(([key]) => keys.includes(key)))
}
