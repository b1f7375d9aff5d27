import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import semver from 'semver'
import { columnPrefix, pluginId, userError } from '@huitou/plugin-api'
import type { Manifest, ResolvedManifest } from '@huitou/plugin-api'
import manifestSchema from '@huitou/plugin-api/manifest.schema.json' with { type: 'json' }
import { localize } from './localize.ts'
import { checkManifest } from './manifest-checks.ts'
import { findingsError, toFinding } from './manifest-errors.ts'
import { checkJourneys } from './manifest-journeys.ts'
import type { Finding } from './manifest-errors.ts'
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

const manifestKeys = Object.keys(manifestSchema.properties)

/**
 * Reads the manifest in `dir` with its texts. Throws `E_MANIFEST`, naming file, path, value and fix, when
 * anything in it is wrong.
 */
export async function readManifest(dir: string): Promise<LoadedManifest> {
  const file = join(dir, 'package.json')
  const source = pick(await readJson(file), manifestKeys)
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
  const resolveSettings = compileOrReport(source, findings)
  if (findings.length > 0) throw findingsError('E_MANIFEST', file, findings)
  return {
    id: pluginId(source),
    dir,
    columnPrefix: columnPrefix(source),
    manifest,
    source,
    entry: source.main === undefined ? undefined : pathToFileURL(resolve(dir, source.main)).href,
    resolveSettings,
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

function compileOrReport(manifest: Manifest, findings: Finding[]): ResolveSettings {
  try {
    return compileSettings(pluginId(manifest), manifest.contributes?.configuration)
  } catch (error) {
    findings.push({
      path: 'contributes.configuration',
      value: 'not a JSON Schema',
      fix: (error as Error).message,
    })
    return () => ({})
  }
}

async function readJson(file: string): Promise<unknown> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    throw userError('E_MANIFEST', `${file} cannot be read`, {
      hint: 'A plugin is a folder with a package.json.',
      cause,
    })
  }
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw userError('E_MANIFEST', `${file} is not JSON: ${(cause as Error).message}`, { cause })
  }
}

async function readDictionary(file: string): Promise<Record<string, string>> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Record<string, string>
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw userError('E_MANIFEST', `${file} is not JSON: ${(cause as Error).message}`, { cause })
  }
}

function pick(value: unknown, keys: string[]): unknown {
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).filter(([key]) => keys.includes(key)))
}
