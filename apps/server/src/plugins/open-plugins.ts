import path from 'node:path'
import {
  type Core,
  type LiveTopics,
  listWished,
  type Logger,
  readBrand,
  type ThisNode,
  type WishedPlugin,
} from '@huitou/core'
import {
  createPluginHost,
  type Effects,
  type HostEvent,
  type PluginHost,
  type PluginLocation,
  readManifest,
} from '@huitou/plugin-host'
import { PluginStore } from '@huitou/plugin-host/install'
import { findBinaryCommand } from '../binary/plugin-command.ts'
import type { SecretBox } from '../secret-box.ts'
import { findBisect, keptOff } from './bisect.ts'
import { readBudgets, toHostBudgets } from './budgets.ts'
import type { BundledPlugin } from './bundled-plugins.ts'
import { fetchMissing } from './converge.ts'
import { connectPlugins } from './connect-plugins.ts'
import type { DataPart } from './owned-data.ts'
import type { PluginContext, ProcessPlugin } from './plugin-context.ts'
import { PluginManager } from './plugin-manager.ts'
import { defineShadowJob } from './shadow.ts'
import { followOthers } from './follow-others.ts'
import { openSettings } from './stored-settings.ts'
import { defineUpdateJob } from './updates.ts'
import { settleTrials, TRIAL_MS, type UpgradePart } from './upgrade.ts'
import { locateAll, toPluginError } from './wished-set.ts'

export interface OpenPluginsOptions {
  box: SecretBox
  log: Logger
  live: LiveTopics
  effects: Effects
  /** The plugins that come with Huitou. */
  bundled: readonly BundledPlugin[]
  /** Folders of plugins that somebody is writing. */
  folders: readonly string[]
  parts?: readonly UpgradePart[]
  data?: readonly DataPart[]
}

export interface OpenedPlugins extends AsyncDisposable {
  readonly host: PluginHost
  readonly plugins: PluginManager
  readonly store: PluginStore
  /** Runs what is wished from now on, also when it was wished on another node, and says what of it runs here. */
  follow(node: ThisNode): Promise<Disposable>
}

/** Makes a host of the wished set, of what is bundled and of the folders named, and connects it with the core. */
export async function openPlugins(core: Core, options: OpenPluginsOptions): Promise<OpenedPlugins> {
  const { box, log, live, effects, parts = [], data = [] } = options
  const { settled, left } = await settleTrials(core, parts)
  for (const { pluginId, from, to } of settled)
    log.warn({ plugin: pluginId, from, to }, 'An upgrade that was cut short was taken back')
  const store = new PluginStore(path.join(core.dataDir, 'plugins'))
  await store.sweep(core.clock.now())
  await fetchMissing({ core, store })
  const own = await locateOwn(core, options)
  const { locations, broken } = await locateAll({ core, store, box }, new Set(own.ids.keys()))
  const off = keptOff(await findBisect({ core }))
  const plugins = [...own.locations, ...locations].map((location) =>
    off.has(location.id ?? '') ? { ...location, enabled: false } : location,
  )
  for (const [id, { error }] of broken) log.error({ plugin: id, error }, 'A plugin cannot be loaded')
  const brand = await readBrand(core.database.db)
  const listeners = new Set<(event: HostEvent) => void>()
  const findRunnerCommand = findBinaryCommand()
  const host = await createPluginHost({
    ...(findRunnerCommand ? { findRunnerCommand } : {}),
    plugins,
    effects,
    budgets: toHostBudgets(await readBudgets({ core })),
    brand: { currency: brand.currency, timeZone: brand.timeZone, locale: brand.locale },
    clock: core.clock,
    onEvent(event) {
      logHostEvent(log, event)
      listeners.forEach((listener) => listener(event))
    },
  })
  for (const [id, error] of await connectPlugins(core, host))
    broken.set(id, { error: toPluginError(error), manifest: host.getPlugin(id).manifest })
  const context: PluginContext = { core, host, box, store, live, process: own.ids, broken, parts, data }
  const manager = new PluginManager(context)
  listeners.add((event) => manager.onHostEvent(event))
  defineShadowJob(context, effects)
  const updates = defineUpdateJob(context)
  const look = () =>
    void manager.settleAbandoned().catch((error: unknown) => log.error({ error }, 'Upgrades'))
  // Another process is at these upgrades, or was.
  const timer = left.length > 0 ? setTimeout(look, TRIAL_MS).unref() : undefined
  return {
    host,
    store,
    plugins: manager,
    follow: (node) => followOthers(context, manager, node),
    async [Symbol.asyncDispose]() {
      clearTimeout(timer)
      updates[Symbol.dispose]()
      await host[Symbol.asyncDispose]()
    },
  }
}

/** Plugins whose files come with this process, with what was decided about them. */
async function locateOwn(
  core: Core,
  { box, bundled, folders }: OpenPluginsOptions,
): Promise<{ locations: PluginLocation[]; ids: Map<string, ProcessPlugin> }> {
  const wished = new Map((await listWished(core.database.db)).map((each) => [each.id, each]))
  const ids = new Map<string, ProcessPlugin>()
  const named = [
    ...bundled.map((plugin) => ({ ...plugin, isFolder: false })),
    ...folders.map((dir) => ({ dir, isFolder: true, enabledByDefault: true })),
  ]
  const locations = await Promise.all(
    named.map(async ({ dir, isFolder, enabledByDefault }) => {
      // A folder without a valid manifest is passed on as well: the host reports it by name.
      const manifest = await readManifest(dir).catch(() => undefined)
      if (manifest) ids.set(manifest.id, { dir, isFolder, enabledByDefault })
      const id = manifest?.id
      return toLocation(dir, { isFolder, enabledByDefault, id, wished: wished.get(id ?? ''), box })
    }),
  )
  return { locations, ids }
}

interface Own {
  isFolder: boolean
  enabledByDefault: boolean
  id: string | undefined
  wished: WishedPlugin | undefined
  box: SecretBox
}

function toLocation(dir: string, { isFolder, enabledByDefault, id, wished, box }: Own): PluginLocation {
  return {
    dir,
    trusted: true,
    bundled: !isFolder,
    enabled: wished?.enabled ?? enabledByDefault,
    settings: wished ? openSettings(wished.settings, box) : {},
    ...(id === undefined ? {} : { id }),
  }
}

function logHostEvent(log: Logger, event: HostEvent): void {
  if (event.type === 'settings') log.info({ plugin: event.pluginId }, 'Plugin settings changed')
  else if (event.type === 'state' && !event.error)
    log.info({ plugin: event.pluginId, state: event.state }, 'Plugin state')
  else if (event.type === 'rejected')
    log.error({ dir: event.dir, error: event.error }, 'A plugin folder holds no valid plugin')
  else log.warn({ plugin: event.pluginId, error: event.error }, 'Plugin trouble')
}
