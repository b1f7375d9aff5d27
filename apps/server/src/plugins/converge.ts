import { isDeepStrictEqual } from 'node:util'
import {
  listTrials,
  listVersions,
  listWished,
  type PluginOnNode,
  type PluginVersion,
  type WishedPlugin,
} from '@huitou/core'
import type { PluginInfo } from '@huitou/plugin-host'
import { fetchArchive } from './archives.ts'
import { findBisect, keptOff } from './bisect.ts'
import type { PluginContext } from './plugin-context.ts'
import { openSettings } from './stored-settings.ts'
import { locate, toPluginError } from './wished-set.ts'

/** Fetches what was installed on other nodes. What cannot be fetched is told when it is to be loaded. */
export async function fetchMissing(context: Pick<PluginContext, 'core' | 'store'>): Promise<void> {
  if (context.core.database.engine !== 'postgres') return
  const versions = await listVersions(context.core.database.db)
  await Promise.all(
    versions.map((version) =>
      fetchArchive(context, version).catch((error: unknown) =>
        context.core.log.warn(
          { plugin: version.pluginId, version: version.version, error: String(error) },
          'A plugin could not be fetched',
        ),
      ),
    ),
  )
}

/**
 * Makes this node run what is wished, after somebody changed it on another: versions, grants, settings, on and off.
 * What it cannot run stands in `broken` with the reason, and stops nothing else. Returns whether it changed anything.
 */
export async function converge(context: PluginContext): Promise<boolean> {
  const { core, host, process, store, broken } = context
  const { db } = core.database
  await fetchMissing(context)
  const [wished, versions, trials, bisect] = await Promise.all([
    listWished(db),
    listVersions(db),
    listTrials(db),
    findBisect(context),
  ])
  // Whoever tries a version may take it back in a moment.
  const tried = new Set(trials.map(({ pluginId }) => pluginId))
  const off = keptOff(bisect)
  let changed = false
  for (const each of wished) {
    if (tried.has(each.id) || (each.state !== 'installed' && !process.has(each.id))) continue
    const version = versions.find(
      ({ pluginId, version: number }) => pluginId === each.id && number === each.version,
    )
    const one = { ...each, enabled: each.enabled && !off.has(each.id) }
    try {
      if (await convergeOne(context, one, version)) changed = true
      broken.delete(each.id)
    } catch (error) {
      const before = broken.get(each.id)
      const now = toPluginError(error)
      changed ||= before?.error.message !== now.message
      broken.set(each.id, { error: now, manifest: before?.manifest })
    }
  }
  const there = new Set(wished.filter(({ state }) => state === 'installed').map(({ id }) => id))
  for (const { id } of host.list()) {
    if (there.has(id) || process.has(id) || tried.has(id)) continue
    await host.remove(id)
    await store.remove(id)
    broken.delete(id)
    changed = true
  }
  return changed
}

async function convergeOne(
  context: PluginContext,
  wished: WishedPlugin,
  version: PluginVersion | undefined,
): Promise<boolean> {
  const { host, process } = context
  const info = host.list().find(({ id }) => id === wished.id)
  if (process.has(wished.id)) {
    return info !== undefined && (await follow(context, info, wished))
  }
  if (wished.version === null || !version) return false
  const installed = { wished: { ...wished, version: wished.version }, version }
  if (!info) {
    await host.add(await locate(context, installed))
    remember(host, wished)
    return true
  }
  const stored = await context.store.get(wished.id, wished.version)
  if (info.dir !== stored.dir || info.trusted !== wished.trusted) {
    await host.replace(wished.id, await locate(context, installed))
    remember(host, wished)
    return true
  }
  let changed = false
  if (!isDeepStrictEqual(info.grants, version.grants ?? {})) {
    host.setGrants(wished.id, version.grants ?? {})
    changed = true
  }
  // Its files are looked at once more before any of it runs.
  if (wished.enabled && info.state === 'disabled') await locate(context, installed)
  return (await follow(context, info, wished)) || changed
}

/** Settings that hosts were brought to last, as stored, by plugin. */
const settingsFollowed = new WeakMap<PluginContext['host'], Map<string, string>>()

/** Notes that a host has these settings; returns those it was brought to before. */
function remember(host: PluginContext['host'], { id, settings }: WishedPlugin): string | undefined {
  const followed = settingsFollowed.get(host) ?? new Map<string, string>()
  settingsFollowed.set(host, followed)
  const before = followed.get(id)
  followed.set(id, JSON.stringify(settings))
  return before
}

/** On, off and settings. */
async function follow(
  { host, box }: PluginContext,
  info: PluginInfo,
  wished: WishedPlugin,
): Promise<boolean> {
  const before = remember(host, wished)
  const settings = openSettings(wished.settings, box)
  // What stood there when the process started, or was changed here, is in force.
  const changed =
    before !== undefined &&
    before !== JSON.stringify(wished.settings) &&
    !isDeepStrictEqual(settings, info.settings)
  if (changed) await host.setSettings(wished.id, settings)
  if (wished.enabled === (info.state !== 'disabled')) return changed
  await (wished.enabled ? host.enable(wished.id) : host.disable(wished.id))
  return true
}

/** What other nodes and people are told of the plugins here. */
export async function describeHere({
  core,
  host,
  broken,
}: PluginContext): Promise<{ plugins: Record<string, PluginOnNode>; missing: number }> {
  const plugins: Record<string, PluginOnNode> = {}
  for (const { id, manifest, state, error } of host.list()) {
    const failed = state === 'failed' || state === 'quarantined'
    plugins[id] = {
      version: manifest.version,
      state: state === 'disabled' ? 'off' : failed ? 'failed' : 'ready',
      ...(failed && error ? { error: { code: error.code ?? 'E_PLUGIN', message: error.message } } : {}),
    }
  }
  const wished = await listWished(core.database.db)
  let missing = 0
  for (const { id, version, enabled, state } of wished) {
    const trouble = broken.get(id)
    if (state !== 'installed' || !trouble) continue
    // What is off is missed by nobody.
    if (enabled) missing++
    const { code, message } = trouble.error
    plugins[id] = { version: version ?? '', state: 'failed', error: { code, message } }
  }
  return { plugins, missing }
}
