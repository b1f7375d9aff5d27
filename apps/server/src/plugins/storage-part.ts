import type { Core } from '@huitou/core'
import type { UpgradePart } from './upgrade.ts'

interface StorageSnapshot {
  values: { key: string; value: string; size: number }[]
  secrets: { key: string; sealed: string }[]
}

/** What a plugin stores under keys, as part of its upgrades: ten megabytes at most, put back as they were. */
export function storagePart({ clock }: Core): UpgradePart {
  return {
    name: 'storage',
    async snapshot(tx, pluginId): Promise<StorageSnapshot> {
      const values = await tx
        .selectFrom('plugin_storage')
        .select(['key', 'value', 'size'])
        .where('plugin_id', '=', pluginId)
        .execute()
      const secrets = await tx
        .selectFrom('plugin_secrets')
        .select(['key', 'sealed'])
        .where('plugin_id', '=', pluginId)
        .execute()
      return { values, secrets }
    },
    apply: async () => {},
    async restore(tx, pluginId, snapshot) {
      if (!snapshot) return
      const { values, secrets } = snapshot as StorageSnapshot
      const known = { plugin_id: pluginId, updated_at: clock.now() }
      for (const table of ['plugin_storage', 'plugin_secrets'] as const)
        await tx.deleteFrom(table).where('plugin_id', '=', pluginId).execute()
      for (const row of values)
        await tx
          .insertInto('plugin_storage')
          .values({ ...row, ...known })
          .execute()
      for (const row of secrets)
        await tx
          .insertInto('plugin_secrets')
          .values({ ...row, ...known })
          .execute()
    },
  }
}
