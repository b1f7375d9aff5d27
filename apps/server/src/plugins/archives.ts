import { type Core, type Db, findArchive, type PluginVersion, type Tx, writeArchive } from '@huitou/core'
import { openArchive, type PluginStore } from '@huitou/plugin-host/install'

/** Keeps a version's archive where other nodes find it; a server alone on its folder has it there already. */
export async function shareArchive(
  { core }: { core: Core },
  tx: Db | Tx,
  { version, bytes }: { version: PluginVersion; bytes: Uint8Array },
): Promise<void> {
  if (core.database.engine === 'postgres') await writeArchive(tx, version, bytes)
}

/**
 * Puts a version into this node's folder that was installed on another node. Returns whether its files are there then,
 * the very ones that were installed.
 */
export async function fetchArchive(
  { core, store }: { core: Core; store: PluginStore },
  { pluginId, version, digest }: PluginVersion,
): Promise<boolean> {
  const present = await store.find(pluginId, version)
  if (present?.digest === digest) return true
  if (core.database.engine !== 'postgres') return false
  const bytes = await findArchive(core.database.db, pluginId, version)
  if (!bytes) return false
  const staged = await store.stage(await openArchive(bytes), { source: 'another node' })
  return staged.digest === digest
}
