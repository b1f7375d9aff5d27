import { userError } from '@huitou/plugin-api'
import { findLoop } from './dependency-loop.ts'
import { checkEngine } from './manifest.ts'
import type { PluginRecord, PluginVersion } from './plugin-record.ts'

/** Throws, with the reason and what to do, when `version` of a plugin may not be enabled among `records`. */
export function checkMayEnable(
  version: PluginVersion,
  records: ReadonlyMap<string, PluginRecord>,
  apiVersion: string,
): void {
  const { loaded, location } = version
  checkEngine(loaded, apiVersion)
  version.checkSettings()
  if (!location.bundled && loaded.manifest.activationEvents?.includes('*')) {
    throw userError(
      'E_ACTIVATION_EVENT',
      `Plugin "${loaded.id}" wants to be started whatever happens ("*")`,
      {
        hint: 'Only what comes with Huitou may. Use onStartupFinished, or let a contribution start it.',
      },
    )
  }
  checkDependencies(version, records)
  checkColumnPrefix(version, records)
}

/** Throws `E_MANIFEST_MISMATCH` when another plugin or version lies there than the owner decided about. */
export function checkIdentity({ loaded, location }: PluginVersion): void {
  const { id, version } = location
  const found = `${loaded.id} ${loaded.manifest.version}`
  if (
    (id === undefined || id === loaded.id) &&
    (version === undefined || version === loaded.manifest.version)
  )
    return
  throw userError(
    'E_MANIFEST_MISMATCH',
    `${loaded.dir} holds ${found}, not ${id ?? loaded.id} ${version ?? ''}`.trim(),
    {
      status: 409,
      hint: 'Install the plugin again.',
    },
  )
}

/** Throws `E_DEPENDENTS` while an enabled plugin needs `pluginId`. */
export function checkNoDependents(pluginId: string, records: ReadonlyMap<string, PluginRecord>): void {
  const dependents = [...records.values()].filter(
    ({ enabled, version }) => enabled && version.dependencies.includes(pluginId),
  )
  if (dependents.length === 0) return
  const names = dependents.map(({ id }) => `"${id}"`).join(', ')
  throw userError('E_DEPENDENTS', `Plugin "${pluginId}" is needed by ${names}`, {
    status: 409,
    hint: 'Disable those first.',
  })
}

function checkDependencies(
  { loaded, dependencies }: PluginVersion,
  records: ReadonlyMap<string, PluginRecord>,
): void {
  const loop = findLoop(loaded.id, (id) =>
    id === loaded.id ? dependencies : (records.get(id)?.version.dependencies ?? []),
  )
  if (loop) {
    throw userError('E_DEPENDENCY_LOOP', `Plugins need one another: ${loop.join(' → ')}`, {
      status: 409,
      hint: 'None of them can be first. Take one out of the pluginDependencies of another.',
    })
  }
  for (const dependency of dependencies) {
    const other = records.get(dependency)
    if (other?.enabled) continue
    throw userError(
      'E_DEPENDENCY',
      `Plugin "${loaded.id}" needs "${dependency}", which is ${other?.state ?? 'not installed'}`,
      { status: 409, hint: other ? `Enable "${dependency}" first.` : `Install "${dependency}" first.` },
    )
  }
}

function checkColumnPrefix({ loaded }: PluginVersion, records: ReadonlyMap<string, PluginRecord>): void {
  const twin = [...records.values()].find(
    ({ id, enabled, loaded: other }) =>
      id !== loaded.id && enabled && other.columnPrefix === loaded.columnPrefix,
  )
  if (!twin) return
  throw userError(
    'E_DUPLICATE_CONTRIBUTION',
    `Plugins "${loaded.id}" and "${twin.id}" both own the columns ${loaded.columnPrefix}_*`,
    { status: 409, hint: `Disable "${twin.id}" first.` },
  )
}
