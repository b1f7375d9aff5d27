import { type Core, erasePluginStorage, readPluginStorage, transact } from '@huitou/core'
import type { DataPart } from './owned-data.ts'

/** What a plugin stores under keys of its own, as data that it owns. */
export function storageData({ database }: Core): DataPart {
  return {
    describe: async (pluginId) => ({
      storageBytes: (await readPluginStorage(database.db, pluginId)).bytes,
    }),
    async *export(pluginId) {
      const { values } = await readPluginStorage(database.db, pluginId)
      for (const [key, value] of Object.entries(values)) yield { type: 'stored', key, value }
    },
    erase: (pluginId) => transact(database.db, (tx) => erasePluginStorage(tx, pluginId)),
  }
}
