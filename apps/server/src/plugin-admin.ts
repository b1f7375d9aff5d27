import {
  type Core,
  listWished,
  type PluginAdmin,
  type PluginView,
  type WishedPlugin,
  writeWished,
} from '@huitou/core'
import { notFound, userError } from '@huitou/plugin-api'
import type { PluginHost, PluginInfo } from '@huitou/plugin-host'
import type { SecretBox } from './secret-box.ts'

export interface PluginState {
  enabled: boolean
  settings: Record<string, unknown>
}

/** Whether each plugin is switched on, and its settings, secrets opened. */
export async function readPluginStates(
  { database }: Pick<Core, 'database'>,
  box: SecretBox,
): Promise<Map<string, PluginState>> {
  const wished = await listWished(database.db)
  return new Map(
    wished.map(({ id, enabled, settings }) => {
      const opened = Object.entries(settings).map(([name, value]) => [
        name,
        box.isSealed(value) ? box.open(value) : value,
      ])
      return [id, { enabled, settings: Object.fromEntries(opened) as PluginState['settings'] }]
    }),
  )
}

/** The plugin host as the HTTP app sees it; changes are stored and hold after a restart. */
export function createPluginAdmin(core: Core, host: PluginHost, box: SecretBox): PluginAdmin {
  async function store(id: string, change: Partial<PluginState>): Promise<void> {
    const info = host.getPlugin(id)
    const wished: WishedPlugin = {
      id,
      version: null,
      digest: null,
      source: { kind: 'process' },
      state: 'installed',
      enabled: change.enabled ?? info.state !== 'disabled',
      trusted: true,
      settings: sealSecrets(info, change.settings ?? info.settings, box),
      fault: null,
      installedAt: null,
      installedBy: null,
    }
    await writeWished(core.database.db, wished, core.clock.now())
  }
  return {
    list: async () => host.list().map(toView),
    get: async (id) => toView(host.getPlugin(id)),
    async documents(id) {
      const { readme, changelog } = await host.getDocuments(id)
      return { readme: readme ?? null, changelog: changelog ?? null }
    },
    async enable(id) {
      await host.enable(id)
      await store(id, { enabled: true })
      core.wake()
    },
    async disable(id) {
      await host.disable(id)
      await store(id, { enabled: false })
      core.wake()
    },
    settings: (id) => withoutSecrets(host.getPlugin(id)),
    async setSettings(id, settings) {
      const kept = secretsOf(host.getPlugin(id))
      // A secret that was left out stays; one that was given replaces it.
      await host.setSettings(id, { ...kept, ...settings })
      await store(id, {})
      core.scores.invalidate()
      core.wake()
    },
    trust: notYet,
    search: notYet,
    details: notYet,
    install: notYet,
    upload: notYet,
    upgrade: notYet,
    rollback: notYet,
    checkUpdates: notYet,
    shadow: notYet,
    drift: notYet,
    data: notYet,
    uninstall: notYet,
    exportFile: (name) => {
      throw notFound('Export', name)
    },
    log: () => [],
    profile: notYet,
    bisect: { view: async () => ({ state: 'idle' }), start: notYet, answer: notYet, stop: notYet },
    registries: notYet,
    addRegistry: notYet,
    removeRegistry: notYet,
    publishers: notYet,
    addPublisher: notYet,
    removePublisher: notYet,
  }
}

async function notYet(): Promise<never> {
  throw userError('E_NOT_YET', 'This version does not do that yet', { status: 501 })
}

function toView({ id, manifest, trusted, state, error, running, grants }: PluginInfo): PluginView {
  const { configuration, ...contributes } = (manifest.contributes ?? {}) as Record<string, unknown>
  return {
    id,
    name: manifest.name,
    publisher: manifest.publisher,
    version: manifest.version,
    displayName: manifest.displayName,
    description: manifest.description,
    icon: manifest.icon ?? null,
    categories: manifest.categories ?? [],
    license: manifest.license ?? null,
    kind: 'bundled',
    bundled: trusted,
    source: { kind: 'bundled' },
    signature: { state: 'bundled' },
    state,
    error: error ? { code: error.code ?? 'E_PLUGIN', message: error.message, hint: error.hint } : null,
    fault: null,
    contributes,
    permissions: manifest.permissions ?? {},
    grants,
    missing: [],
    versions: [],
    update: null,
    installedAt: null,
    settingsSchema: (configuration as Record<string, unknown> | undefined) ?? null,
    running: {
      activatedAt: running.activatedAt ?? null,
      activationMs: running.activationMs ?? null,
      reason: running.reason ?? null,
      calls: running.calls,
      errors: running.errors,
      p95: running.p95 ?? null,
      restarts: 0,
      cpuMs: null,
      memoryBytes: null,
      kind: 'worker',
      pid: null,
      lastError: null,
    },
  }
}

function secretNames({ manifest }: PluginInfo): Set<string> {
  const schema = manifest.contributes?.configuration as
    | { properties?: Record<string, { secret?: boolean }> }
    | undefined
  return new Set(
    Object.entries(schema?.properties ?? {}).flatMap(([name, { secret }]) => (secret ? [name] : [])),
  )
}

function sealSecrets(
  info: PluginInfo,
  settings: Record<string, unknown>,
  box: SecretBox,
): Record<string, unknown> {
  const secrets = secretNames(info)
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [
      name,
      secrets.has(name) && typeof value === 'string' && value !== '' ? box.seal(value) : value,
    ]),
  )
}

function withoutSecrets(info: PluginInfo): Record<string, unknown> {
  const secrets = secretNames(info)
  return Object.fromEntries(Object.entries(info.settings).filter(([name]) => !secrets.has(name)))
}

function secretsOf(info: PluginInfo): Record<string, unknown> {
  const secrets = secretNames(info)
  return Object.fromEntries(Object.entries(info.settings).filter(([name]) => secrets.has(name)))
}
