import type {
  PermissionEntry,
  PluginBudgetView,
  PluginCompanion,
  PluginError,
  PluginVersion,
  PluginView,
  UsedPermission,
  WishedPlugin,
} from '@huitou/core'
import type { JsonSchema, Permissions, ResolvedManifest } from '@huitou/plugin-api'
import type { PluginInfo } from '@huitou/plugin-host'
import { difference, isNothing, toEntries } from './consent.ts'

export interface Viewed {
  manifest: ResolvedManifest
  /** Absent when its files are missing or are not those that were installed. */
  info: PluginInfo | undefined
  error: PluginError | undefined
  wished: WishedPlugin | undefined
  versions: readonly PluginVersion[]
  uses: readonly UsedPermission[]
  /** Folder that somebody who writes the plugin named; absent for all others. */
  folder: string | undefined
  update: { version: string; newPermissions: PermissionEntry[] } | null
  budget: PluginBudgetView | null
  companions: PluginCompanion[]
  nodes: PluginView['nodes']
}

/** A plugin as the Extensions view shows it. */
export function toView(viewed: Viewed): PluginView {
  const { manifest, info, wished, versions, update } = viewed
  const { configuration, ...contributes } = (manifest.contributes ?? {}) as Record<string, unknown>
  const installed = wished?.version != null
  const active = versions.find(({ version }) => version === manifest.version)
  const asked = (manifest.permissions ?? {}) as Permissions
  const grants = info?.grants ?? active?.grants ?? {}
  const error = viewed.error ?? info?.error
  return {
    id: idOf(manifest),
    name: manifest.name,
    publisher: manifest.publisher,
    version: manifest.version,
    displayName: manifest.displayName,
    description: manifest.description,
    icon: manifest.icon ?? null,
    categories: manifest.categories ?? [],
    license: manifest.license ?? null,
    kind: !installed ? (viewed.folder ? 'trusted' : 'bundled') : wished.trusted ? 'trusted' : 'sandboxed',
    bundled: !installed && !viewed.folder,
    source: sourceOf(viewed),
    signature: installed
      ? (active?.signature ?? { state: 'unsigned' })
      : { state: viewed.folder ? 'folder' : 'bundled' },
    state: viewed.error ? 'failed' : (info?.state ?? 'disabled'),
    error: error ? toError(error) : null,
    fault: wished?.fault ?? null,
    contributes,
    permissions: asked,
    grants,
    missing: toEntries(difference(asked, grants)),
    decided: !installed || (active !== undefined && isDecided(active, asked)),
    used: viewed.uses
      .filter(({ version }) => version === manifest.version)
      .map(({ permission, at }) => ({ permission, at })),
    settingsSchema: (configuration as Record<string, unknown> | undefined) ?? null,
    versions: versions.map(({ version, installedAt }) => ({
      version,
      installedAt,
      active: version === wished?.version,
    })),
    update,
    installedAt: wished?.installedAt ?? null,
    companions: viewed.companions,
    nodes: viewed.nodes,
    budget: viewed.budget,
    running: runningOf(info),
  }
}

/** Whether its permissions were granted or refused, and somebody vouches for it. */
function isDecided({ grants, signature, allowed }: PluginVersion, asked: Permissions): boolean {
  return (grants !== null || isNothing(asked)) && (signature.state === 'trusted' || allowed)
}

export function schemaOf(manifest: ResolvedManifest): JsonSchema | undefined {
  return (manifest.contributes as { configuration?: JsonSchema } | undefined)?.configuration
}

export function idOf({ publisher, name }: { publisher: string; name: string }): string {
  return `${publisher}.${name.replace(/^@[^/]+\//, '')}`
}

/** What is left to show of a plugin whose files are gone. */
export function placeholder(wished: WishedPlugin): ResolvedManifest {
  const [publisher = '', name = wished.id] = wished.id.split(/\.(.*)/s)
  const text = { en: wished.id, 'zh-CN': wished.id }
  return {
    publisher,
    name,
    version: wished.version ?? '',
    engines: { huitou: '*' },
    displayName: text,
    description: { en: '', 'zh-CN': '' },
  }
}

function sourceOf({ wished, folder }: Viewed): PluginView['source'] {
  if (folder !== undefined) return { kind: 'folder', path: folder }
  return wished && wished.source.kind !== 'process' ? wished.source : { kind: 'bundled' }
}

function runningOf(info: PluginInfo | undefined): PluginView['running'] {
  const running = info?.running
  return {
    activatedAt: running?.activatedAt ?? null,
    activationMs: running?.activationMs ?? null,
    reason: running?.reason ?? null,
    calls: running?.calls ?? 0,
    errors: running?.errors ?? 0,
    p95: running?.p95 ?? null,
    restarts: running?.restarts ?? 0,
    cpuMs: running?.cpuMs ?? null,
    memoryBytes: running?.memoryBytes ?? null,
    kind: running?.kind ?? 'none',
    pid: running?.pid ?? null,
    lastError: running?.lastError ? toError(running.lastError) : null,
  }
}

function toError({
  code = 'E_PLUGIN',
  message,
  hint,
}: Partial<PluginError> & { message: string }): PluginError {
  return { code, message, ...(hint === undefined ? {} : { hint }) }
}
