import { audit, type Core, type LiveTopics, listPublishers, type PluginError } from '@huitou/core'
import type { ResolvedManifest } from '@huitou/plugin-api'
import type { PluginHost } from '@huitou/plugin-host'
import type { PluginStore, TrustedKey } from '@huitou/plugin-host/install'
import type { SecretBox } from '../secret-box.ts'
import type { DataPart } from './owned-data.ts'
import type { UpgradePart } from './upgrade.ts'

/** A plugin whose files come with this process. */
export interface ProcessPlugin {
  dir: string
  /** Named by somebody who writes it, instead of bundled. */
  isFolder: boolean
  /** Before anybody wished anything. */
  enabledByDefault: boolean
}

/** What everything that changes plugins works with. */
export interface PluginContext {
  readonly core: Core
  readonly host: PluginHost
  readonly box: SecretBox
  readonly store: PluginStore
  readonly live: LiveTopics
  readonly process: ReadonlyMap<string, ProcessPlugin>
  /** What an upgrade changes beside settings and the wished row. */
  readonly parts: readonly UpgradePart[]
  /** What a plugin keeps beside columns and settings. */
  readonly data: readonly DataPart[]
  /** Installed plugins that cannot be loaded here, and why. */
  readonly broken: Map<string, { error: PluginError; manifest: ResolvedManifest | undefined }>
}

/** Who is written down when nobody asked. */
export const SYSTEM = 'system'

/** Writes down who did what, and tells open pages. */
export async function note(
  { core, live }: Pick<PluginContext, 'core' | 'live'>,
  entry: { by: string | undefined; action: string; subject: string; details?: object },
): Promise<void> {
  const { by = SYSTEM, action, subject, details } = entry
  await audit(core.database.db, core.clock, {
    userId: by,
    action: `plugin.${action}`,
    subject,
    ...(details ? { details } : {}),
  })
  live.announce('plugins')
}

export async function readTrust({ core }: Pick<PluginContext, 'core'>): Promise<TrustedKey[]> {
  return await listPublishers(core.database.db)
}
