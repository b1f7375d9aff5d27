import { existsSync } from 'node:fs'
import { isAbsolute, relative, resolve } from 'node:path'
import { Cron } from 'croner'
import semver from 'semver'
import { columnPrefix, contributionId, parseWhen, pluginId, pointCatalogue } from '@huitou/plugin-api'
import type { Contributions, Manifest, SegmenterContribution } from '@huitou/plugin-api'
import { matchesAny } from './broker.ts'
import type { Finding } from './manifest-errors.ts'
import { checkReferences } from './manifest-references.ts'
import { checkRules } from './manifest-rules.ts'
import { checkSchemas } from './manifest-schemas.ts'

/** Everything that the schema of manifests cannot say: what refers to what, and what needs what. */
export function checkManifest(manifest: Manifest, dir: string): Finding[] {
  return [
    ...checkVersions(manifest),
    ...checkIds(manifest),
    ...checkColumns(manifest),
    ...checkInputs(manifest),
    ...checkRules(manifest),
    ...checkCode(manifest),
    ...checkFiles(manifest, dir),
    ...checkReferences(manifest),
    ...checkWhen(manifest),
    ...checkSchemas(manifest),
    ...checkPlugins(manifest),
    ...checkActivation(manifest),
  ]
}

function checkVersions({ version, engines }: Manifest): Finding[] {
  const findings: Finding[] = []
  if (semver.valid(version) === null) {
    findings.push({ path: 'version', value: version, fix: 'write a semantic version such as 1.2.0' })
  }
  if (semver.validRange(engines.huitou) === null) {
    findings.push({ path: 'engines.huitou', value: engines.huitou, fix: 'write a range such as ^0.2.0' })
  }
  return findings
}

function checkIds(manifest: Manifest): Finding[] {
  return entriesByPoint(manifest).flatMap(([point, entries]) => {
    const seen = new Set<string>()
    return entries.flatMap((entry, index) => {
      const id = contributionId(point, entry)
      const key = point === 'events' ? 'name' : 'id' in entry ? 'id' : Object.keys(entry)[0]
      if (!seen.has(id)) {
        seen.add(id)
        return []
      }
      const path = `contributes.${point}[${index}].${key}`
      return [{ path, value: id, fix: 'give it a name that no other entry here has' }]
    })
  })
}

/** Features, scores and labels of one plugin share the profile's columns. */
function checkColumns({ contributes }: Manifest): Finding[] {
  const seen = new Map<string, string>()
  return ownColumns(contributes).flatMap(({ id, path }) => {
    const taken = seen.get(id)
    seen.set(id, taken ?? path)
    // Twice in one list is already reported.
    if (taken === undefined || taken.replace(/\[.*/, '') === path.replace(/\[.*/, '')) return []
    return [{ path, value: id, fix: `choose another id: ${taken} already fills that column` }]
  })
}

/** Inputs reach a plugin without asking the broker, so they must be covered by what it was granted to read. */
function checkInputs(manifest: Manifest): Finding[] {
  const prefix = `${columnPrefix(manifest)}_`
  const granted = manifest.permissions?.['profile.read'] ?? []
  const own = new Set(ownColumns(manifest.contributes).map(({ id }) => id))
  const { scorers = [], segmenters = [], conditions = [], gates = [] } = manifest.contributes ?? {}
  return Object.entries({ scorers, segmenters, conditions, gates }).flatMap(([point, entries]) =>
    entries.flatMap((entry, index) =>
      (entry.inputs ?? []).flatMap((input, position) => {
        const path = `contributes.${point}[${index}].inputs[${position}]`
        if (own.has(input)) return []
        if (input.startsWith(prefix)) {
          if (own.has(input.slice(prefix.length))) return []
          const known = own.size > 0 ? `its columns are ${[...own].map((id) => prefix + id).join(', ')}` : ''
          return [
            { path, value: input, fix: `name a column that this plugin declares; ${known || 'it has none'}` },
          ]
        }
        if (matchesAny(granted, input)) return []
        return [{ path, value: input, fix: `add "${input}" to permissions["profile.read"]` }]
      }),
    ),
  )
}

/** A contribution that has to be implemented needs code. */
function checkCode({ contributes, main }: Manifest): Finding[] {
  if (main !== undefined) return []
  const asking = (contributes?.views ?? []).flatMap(({ id, calls }, index) =>
    calls
      ? [
          {
            path: `contributes.views[${index}].calls`,
            value: id,
            fix: 'name the entry that answers them in "main"',
          },
        ]
      : [],
  )
  const missing = pointCatalogue.flatMap(({ id, implements: methods }) => {
    if (id === 'configuration' || id === 'extensions' || methods.every((name) => name.endsWith('?')))
      return []
    return (contributes?.[id] ?? []).flatMap((entry, index) => {
      if (id === 'segmenters' && (entry as SegmenterContribution).labels.every(({ rule }) => rule)) return []
      const path = `contributes.${id}[${index}]`
      const rules = id === 'segmenters' ? ', or give every label a rule' : ''
      return [
        {
          path,
          value: contributionId(id, entry),
          fix: `name the entry that implements it in "main"${rules}`,
        },
      ]
    })
  })
  return [...missing, ...asking]
}

function checkFiles({ main, icon, contributes = {} }: Manifest, dir: string): Finding[] {
  const files: [string, string | undefined][] = [
    ['main', main],
    // Names of icons have neither a dot nor a slash.
    ['icon', icon !== undefined && /[./]/.test(icon) ? icon : undefined],
    ...(contributes.views ?? []).map(({ entry }, index): [string, string | undefined] => [
      `contributes.views[${index}].entry`,
      entry,
    ]),
    ...(contributes.localizations ?? []).map(({ file }, index): [string, string] => [
      `contributes.localizations[${index}].file`,
      file,
    ]),
  ]
  return files.flatMap(([path, file]) => {
    if (file === undefined) return []
    const inside = relative(dir, resolve(dir, file))
    if (inside.startsWith('..') || isAbsolute(inside)) {
      return [{ path, value: file, fix: 'name a file inside the plugin' }]
    }
    if (existsSync(resolve(dir, file))) return []
    return [{ path, value: file, fix: 'there is no such file: build the plugin, or correct the name' }]
  })
}

function checkWhen(manifest: Manifest): Finding[] {
  return entriesByPoint(manifest).flatMap(([point, entries]) =>
    entries.flatMap((entry, index) => {
      if (point === 'extensions' || !('when' in entry) || typeof entry.when !== 'string') return []
      try {
        parseWhen(entry.when)
        return []
      } catch (error) {
        const path = `contributes.${point}[${index}].when`
        return [{ path, value: entry.when, fix: (error as Error).message }]
      }
    }),
  )
}

function checkPlugins(manifest: Manifest): Finding[] {
  const own = pluginId(manifest)
  return (['pluginDependencies', 'pluginPack', 'replaces'] as const).flatMap((key) =>
    (manifest[key] ?? []).flatMap((id, index) =>
      id === own
        ? [{ path: `${key}[${index}]`, value: id, fix: 'remove it: that is this plugin itself' }]
        : [],
    ),
  )
}

const activationPattern = /^(\*|onStartupFinished|on[A-Z][A-Za-z]*:.+)$/

function checkActivation({ activationEvents = [], contributes = {}, permissions }: Manifest): Finding[] {
  const times: [path: string, value: string, cron: string][] = []
  const findings: Finding[] = []
  for (const [index, value] of activationEvents.entries()) {
    const path = `activationEvents[${index}]`
    if (!activationPattern.test(value))
      findings.push({ path, value, fix: 'write onStartupFinished, onEvent:<pattern> or onSchedule:<cron>' })
    if (value.startsWith('onSchedule:')) times.push([path, value, value.slice('onSchedule:'.length)])
  }
  for (const [index, { schedule }] of (contributes.scorers ?? []).entries())
    if (schedule !== undefined) times.push([`contributes.scorers[${index}].schedule`, schedule, schedule])
  for (const [path, value, cron] of times) {
    if (!comes(cron))
      findings.push({ path, value, fix: 'write a time that comes, as cron such as 0 4 * * *' })
    else if (!permissions?.schedule)
      findings.push({ path, value, fix: 'add "schedule": true to permissions' })
  }
  return findings
}

function comes(cron: string): boolean {
  try {
    return new Cron(cron).nextRun() !== null
  } catch {
    return false
  }
}

/** Points with their entries; settings are no list. */
export function entriesByPoint({ contributes = {} }: Manifest): [string, readonly object[]][] {
  const { configuration: _, ...points } = contributes
  return Object.entries(points)
}

function ownColumns(contributes: Contributions = {}): { id: string; path: string }[] {
  const { features = [], scorers = [], segmenters = [] } = contributes
  return [
    ...features.map(({ id }, index) => ({ id, path: `contributes.features[${index}].id` })),
    ...scorers.flatMap(({ outputs }, index) =>
      outputs.map(({ id }, output) => ({ id, path: `contributes.scorers[${index}].outputs[${output}].id` })),
    ),
    ...segmenters.map(({ id }, index) => ({ id, path: `contributes.segmenters[${index}].id` })),
  ]
}
