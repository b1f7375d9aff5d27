import { findWished, listVersions, removeVersion, transact, writeVersion, writeWished } from '@huitou/core'
import { forgetBudget } from './budgets.ts'
import { eraseData, exportData } from './owned-data.ts'
import { note, type PluginContext } from './plugin-context.ts'
import { getInstalled, type Installed } from './wished-set.ts'

export interface UninstallRequest {
  /** `export` writes a file and erases; `keep` leaves all for when the plugin comes back. */
  data: 'keep' | 'export' | 'erase'
  by: string | undefined
}

/**
 * Takes a plugin out: its code, its files, and its data as asked. Also takes out what was kept of one that is
 * gone. Answers where the export is.
 */
export async function uninstall(
  context: PluginContext,
  id: string,
  { data, by }: UninstallRequest,
): Promise<{ export: string | null }> {
  const { core, host, store, broken } = context
  const wished = await findWished(core.database.db, id)
  const installed = wished?.state === 'kept' ? undefined : await getInstalled(context, id)
  if (host.list().some((plugin) => plugin.id === id)) await host.remove(id)
  broken.delete(id)
  core.wake()
  const file = data === 'export' ? await exportData(context, id) : null
  if (data !== 'keep') {
    await eraseData(context, id)
    await forgetBudget(context, id)
    await core.erasures.release(id)
  } else if (installed) await keep(context, installed)
  await store.remove(id)
  await note(context, { by, action: 'uninstall', subject: id, details: { data, version: wished?.version } })
  return { export: file && `/api/plugin-exports/${encodeURIComponent(file)}` }
}

/** Of the versions only the last one is remembered, for who signed it; nothing stays granted. */
async function keep({ core }: PluginContext, { wished, version }: Installed): Promise<void> {
  await transact(core.database.db, async (tx) => {
    for (const other of await listVersions(tx, wished.id))
      if (other.version !== version.version) await removeVersion(tx, wished.id, other.version)
    await writeVersion(tx, { ...version, grants: null, allowed: false })
    await writeWished(
      tx,
      { ...wished, state: 'kept', enabled: false, trusted: false, fault: null },
      core.clock.now(),
    )
  })
}
