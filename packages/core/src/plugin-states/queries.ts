import type { Permissions } from '@huitou/plugin-api'
import type { Db, Tx } from '../db/database.ts'
import type { PluginStateTables } from './tables.ts'

/** Where a plugin's files came from. */
export type PluginSource =
  | { kind: 'process' }
  | { kind: 'registry'; registry: string; name: string }
  | { kind: 'upload'; file: string | null }

/** Who vouches for a version, as found when it was installed. */
export interface PluginSignature {
  state: 'bundled' | 'trusted' | 'unknown-publisher' | 'unsigned' | 'broken'
  publisher?: string | undefined
  keyId?: string | undefined
  /** There to be shown and trusted; only `trusted` says that the owner did. */
  publicKey?: string | undefined
  /** Former key that vouches for this one. */
  succeeds?: string | undefined
  reason?: string | undefined
}

export interface PluginFault {
  code: string
  message: string
  hint?: string | undefined
  at: number
}

/** A plugin of the wished set. */
export interface WishedPlugin {
  id: string
  /** Absent when the files come with the process. */
  version: string | null
  digest: string | null
  source: PluginSource
  state: 'installed' | 'kept'
  enabled: boolean
  trusted: boolean
  /** As stored: secrets are sealed. */
  settings: Record<string, unknown>
  fault: PluginFault | null
  installedAt: number | null
  installedBy: string | null
}

/** A version whose files are there. */
export interface PluginVersion {
  pluginId: string
  version: string
  digest: string
  signature: PluginSignature
  /** What the owner granted to this version; null until decided. */
  grants: Permissions | null
  allowed: boolean
  installedAt: number
  installedBy: string
}

export async function listWished(db: Db | Tx): Promise<WishedPlugin[]> {
  const rows = await db.selectFrom('plugins').selectAll().orderBy('id').execute()
  return rows.map(toWished)
}

export async function findWished(db: Db | Tx, id: string): Promise<WishedPlugin | undefined> {
  const row = await db.selectFrom('plugins').selectAll().where('id', '=', id).executeTakeFirst()
  return row && toWished(row)
}

/** Stores all that is wished of a plugin. */
export async function writeWished(db: Db | Tx, wished: WishedPlugin, now: number): Promise<void> {
  const row = {
    id: wished.id,
    version: wished.version,
    digest: wished.digest,
    source: JSON.stringify(wished.source),
    state: wished.state,
    enabled: wished.enabled ? 1 : 0,
    trusted: wished.trusted ? 1 : 0,
    settings: JSON.stringify(wished.settings),
    fault: wished.fault && JSON.stringify(wished.fault),
    installed_at: wished.installedAt,
    installed_by: wished.installedBy,
    updated_at: now,
  }
  await db
    .insertInto('plugins')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
    .execute()
}

/** Forgets a plugin with its versions, its history of upgrades, and its settings. */
export async function forgetPlugin(tx: Tx, id: string): Promise<void> {
  for (const table of ['plugin_versions', 'plugin_upgrades', 'plugin_drifts', 'plugin_archives'] as const)
    await tx.deleteFrom(table).where('plugin_id', '=', id).execute()
  await tx.deleteFrom('plugins').where('id', '=', id).execute()
}

/** Newest first. */
export async function listVersions(db: Db | Tx, id?: string): Promise<PluginVersion[]> {
  const rows = await db
    .selectFrom('plugin_versions')
    .selectAll()
    .$if(id !== undefined, (query) => query.where('plugin_id', '=', id!))
    .orderBy('installed_at', 'desc')
    .orderBy('version', 'desc')
    .execute()
  return rows.map(toVersion)
}

export async function findVersion(
  db: Db | Tx,
  id: string,
  version: string,
): Promise<PluginVersion | undefined> {
  const row = await db
    .selectFrom('plugin_versions')
    .selectAll()
    .where('plugin_id', '=', id)
    .where('version', '=', version)
    .executeTakeFirst()
  return row && toVersion(row)
}

export async function writeVersion(db: Db | Tx, version: PluginVersion): Promise<void> {
  const row = {
    plugin_id: version.pluginId,
    version: version.version,
    digest: version.digest,
    signature: JSON.stringify(version.signature),
    grants: version.grants && JSON.stringify(version.grants),
    allowed: version.allowed ? 1 : 0,
    installed_at: version.installedAt,
    installed_by: version.installedBy,
  }
  await db
    .insertInto('plugin_versions')
    .values(row)
    .onConflict((conflict) => conflict.columns(['plugin_id', 'version']).doUpdateSet(row))
    .execute()
}

export async function removeVersion(db: Db | Tx, id: string, version: string): Promise<void> {
  for (const table of ['plugin_versions', 'plugin_archives'] as const)
    await db.deleteFrom(table).where('plugin_id', '=', id).where('version', '=', version).execute()
}

/** Keeps a version's archive for nodes that do not have it. */
export async function writeArchive(
  db: Db | Tx,
  { pluginId, version, digest }: Pick<PluginVersion, 'pluginId' | 'version' | 'digest'>,
  bytes: Uint8Array,
): Promise<void> {
  const row = { plugin_id: pluginId, version, digest, bytes: Buffer.from(bytes) }
  await db
    .insertInto('plugin_archives')
    .values(row)
    .onConflict((conflict) => conflict.columns(['plugin_id', 'version']).doUpdateSet(row))
    .execute()
}

export async function findArchive(db: Db | Tx, id: string, version: string): Promise<Uint8Array | undefined> {
  const row = await db
    .selectFrom('plugin_archives')
    .select('bytes')
    .where('plugin_id', '=', id)
    .where('version', '=', version)
    .executeTakeFirst()
  return row?.bytes
}

function toWished(row: PluginStateTables['plugins']): WishedPlugin {
  return {
    id: row.id,
    version: row.version,
    digest: row.digest,
    source: JSON.parse(row.source) as PluginSource,
    state: row.state,
    enabled: row.enabled === 1,
    trusted: row.trusted === 1,
    settings: JSON.parse(row.settings) as Record<string, unknown>,
    fault: row.fault === null ? null : (JSON.parse(row.fault) as PluginFault),
    installedAt: row.installed_at,
    installedBy: row.installed_by,
  }
}

function toVersion(row: PluginStateTables['plugin_versions']): PluginVersion {
  return {
    pluginId: row.plugin_id,
    version: row.version,
    digest: row.digest,
    signature: JSON.parse(row.signature) as PluginSignature,
    grants: row.grants === null ? null : (JSON.parse(row.grants) as Permissions),
    allowed: row.allowed === 1,
    installedAt: row.installed_at,
    installedBy: row.installed_by,
  }
}
