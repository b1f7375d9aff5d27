import {
  adoptCollections,
  findVersion,
  findWished,
  forgetPlugin,
  type PluginSignature,
  type PluginVersion,
  type Tx,
  type WishedPlugin,
} from '@huitou/core'
import type { ResolvedManifest } from '@huitou/plugin-api'

/**
 * Makes what plugins left behind the data of the one that takes their place, when the same publisher signed both:
 * settings, what they stored, their records and their columns. Returns their settings, and whose they were.
 */
export async function adoptReplaced(
  tx: Tx,
  { replaces = [] }: ResolvedManifest,
  { successor, now }: { successor: PluginVersion; now: number },
): Promise<{ settings: WishedPlugin['settings']; from: string[] }> {
  const adopted = { settings: {}, from: [] as string[] }
  for (const id of replaces) {
    const left = await findWished(tx, id)
    if (left?.state !== 'kept' || left.version === null) continue
    const last = await findVersion(tx, id, left.version)
    if (!last || !isSamePublisher(last.signature, successor.signature)) continue
    for (const table of ['plugin_storage', 'plugin_secrets'] as const)
      await tx.updateTable(table).set({ plugin_id: successor.pluginId }).where('plugin_id', '=', id).execute()
    await adoptCollections(tx, id, successor.pluginId, now)
    await tx
      .updateTable('profile_columns')
      .set({ owner: successor.pluginId })
      .where('owner', '=', id)
      .execute()
    await forgetPlugin(tx, id)
    Object.assign(adopted.settings, left.settings)
    adopted.from.push(id)
  }
  return adopted
}

/** Two unsigned plugins have nobody in common whom their data could be told to. */
function isSamePublisher(before: PluginSignature, after: PluginSignature): boolean {
  if (before.publicKey === undefined || before.publisher !== after.publisher) return false
  return after.publicKey === before.publicKey || after.succeeds === before.publicKey
}
