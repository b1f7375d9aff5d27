import type { Core, PluginAdmin, PluginView } from '@huitou/core'
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
  const rows = await database.db.selectFrom('plugin_states').selectAll().execute()
  return new Map(
    rows.map(({ id, enabled, settings }) => {
      const stored = Object.entries(JSON.parse(settings) as PluginState['settings'])
      const opened = stored.map(([name, value]) => [name, box.isSealed(value) ? box.open(value) : value])
      return [id, { enabled: enabled === 1, settings: Object.fromEntries(opened) as PluginState['settings'] }]
    }),
  )
}

/** The plugin host as the HTTP app sees it; changes are stored and hold after a restart. */
export function createPluginAdmin(core: Core, host: PluginHost, box: SecretBox): PluginAdmin {
  async function store(id: string, change: Partial<PluginState>): Promise<void> {
    const info = host.getPlugin(id)
    const row = {
      id,
      enabled: (change.enabled ?? info.state !== 'disabled') ? 1 : 0,
      settings: JSON.stringify(sealSecrets(info, change.settings ?? info.settings, box)),
      updated_at: core.clock.now(),
    }
    await core.database.db
      .insertInto('plugin_states')
      .values(row)
      .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
      .execute()
  }
  return {
    list: () => host.list().map(toView),
    get: (id) => toView(host.getPlugin(id)),
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
  }
}

function toView({ id, manifest, trusted, state, error, running }: PluginInfo): PluginView {
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
    bundled: trusted,
    state,
    error: error ? { code: error.code ?? 'E_PLUGIN', message: error.message, hint: error.hint } : null,
    contributes,
    permissions: (manifest.permissions ?? {}) as Record<string, unknown>,
    settingsSchema: (configuration as Record<string, unknown> | undefined) ?? null,
    running: {
      activatedAt: running.activatedAt ?? null,
      activationMs: running.activationMs ?? null,
      reason: running.reason ?? null,
      calls: running.calls,
      errors: running.errors,
      p95: running.p95 ?? null,
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
