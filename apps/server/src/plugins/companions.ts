import { type ConsentOptions, listRegistries, type PluginCompanion } from '@huitou/core'
import { type ResolvedManifest, userError } from '@huitou/plugin-api'
import { findLoop } from '@huitou/plugin-host'
import type { PluginContext } from './plugin-context.ts'
import { idOf } from './plugin-view.ts'
import { findInRegistry } from './sources.ts'

type Relation = PluginCompanion['relation']
type Related = Pick<ResolvedManifest, 'pluginDependencies' | 'pluginPack'>

/** A plugin that comes along and is not here: where to get it. */
export interface Obtainable {
  registry: string
  name: string
  version: string
}

/** What a plugin needs and what it brings along, and in turn what those do; only what is here is looked at. */
export function listCompanions(
  { host }: Pick<PluginContext, 'host'>,
  manifest: ResolvedManifest,
): PluginCompanion[] {
  const present = new Map(host.list().map((plugin) => [plugin.id, plugin]))
  const found = new Map<string, PluginCompanion>()
  const walk = (of: Related) => {
    for (const [id, relation] of related(of)) {
      if (found.has(id) || id === idOf(manifest)) continue
      const plugin = present.get(id)
      const state = plugin === undefined ? 'missing' : plugin.state === 'disabled' ? 'off' : 'on'
      found.set(id, { id, relation, state })
      if (plugin) walk(plugin.manifest)
    }
  }
  walk(manifest)
  return [...found.values()]
}

/**
 * The plugins that `manifest` needs or brings along and that are not here, with where to get them, each before those
 * that need it. One that no registry has is left out: the plugin is listed with what it misses. Throws
 * `E_DEPENDENCY_LOOP` when plugins need, or bring along, one another in a circle.
 */
export async function findObtainable(
  context: PluginContext,
  manifest: ResolvedManifest,
  preferred: string | undefined,
): Promise<Obtainable[]> {
  const known = new Map<string, Related>(context.host.list().map((plugin) => [plugin.id, plugin.manifest]))
  const own = idOf(manifest)
  known.set(own, manifest)
  const registries = await registriesInOrder(context, preferred)
  const obtainable: Obtainable[] = []
  const seen = new Set([own])
  const walk = async (of: Related): Promise<void> => {
    for (const [id] of related(of)) {
      if (seen.has(id)) continue
      seen.add(id)
      const present = known.get(id)
      const available = present ? undefined : await findAvailable(context, id, registries)
      if (available) known.set(id, available.manifest)
      const next = present ?? available?.manifest
      if (next) await walk(next)
      if (available) obtainable.push(available.from)
    }
  }
  await walk(manifest)
  for (const [key, verb] of [
    ['pluginDependencies', 'need'],
    ['pluginPack', 'bring along'],
  ] as const) {
    const loop = findLoop(own, (id) => known.get(id)?.[key] ?? [])
    if (loop) throw loopError(verb, loop)
  }
  return obtainable
}

/** Those of `plugin` and its companions that are off, in the order in which they can be enabled. */
export function enablingOrder(
  { host }: Pick<PluginContext, 'host'>,
  id: string,
  chosen: ConsentOptions['companions'],
): string[] {
  if (!chosen) return [id]
  const manifests = new Map(host.list().map((plugin) => [plugin.id, plugin.manifest]))
  const manifest = manifests.get(id)
  if (!manifest) return [id]
  const off = listCompanions({ host }, manifest).filter(
    ({ id: other, relation, state }) =>
      state === 'off' && (relation === 'needs' || Object.hasOwn(chosen, other)),
  )
  const order: string[] = []
  const visiting = new Set<string>()
  const add = (one: string) => {
    if (visiting.has(one)) return
    visiting.add(one)
    for (const needed of manifests.get(one)?.pluginDependencies ?? [])
      if (off.some(({ id: other }) => other === needed)) add(needed)
    order.push(one)
  }
  add(id)
  for (const { id: other } of off) add(other)
  return order
}

function related({ pluginDependencies = [], pluginPack = [] }: Related): [id: string, relation: Relation][] {
  return [
    ...pluginDependencies.map((id): [string, Relation] => [id, 'needs']),
    ...pluginPack.map((id): [string, Relation] => [id, 'brings']),
  ]
}

async function registriesInOrder({ core }: PluginContext, preferred: string | undefined): Promise<string[]> {
  const ids = (await listRegistries(core.database.db)).map(({ id }) => id)
  return ids.toSorted((a, b) => Number(b === preferred) - Number(a === preferred))
}

async function findAvailable(
  context: PluginContext,
  id: string,
  registries: readonly string[],
): Promise<{ from: Obtainable; manifest: ResolvedManifest } | undefined> {
  for (const registry of registries) {
    // A registry that gives no answer has nothing to offer now.
    const found = await findInRegistry(context, registry, id).catch(() => undefined)
    if (found)
      return {
        from: { registry, name: found.name, version: found.version },
        manifest: found.manifest,
      }
  }
  return undefined
}

function loopError(verb: string, loop: readonly string[]): Error {
  return userError('E_DEPENDENCY_LOOP', `Plugins ${verb} one another: ${loop.join(' → ')}`, {
    status: 409,
    hint: 'None of them can be first. Tell their authors.',
    details: { loop },
  })
}
