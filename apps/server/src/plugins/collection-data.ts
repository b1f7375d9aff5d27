import {
  applyCollections,
  type CollectionDeclaration,
  type CollectionsSnapshot,
  type Core,
  countCollections,
  eraseCollections,
  exportCollections,
  restoreCollections,
  snapshotCollections,
  transact,
} from '@huitou/core'
import type { DataPart } from './owned-data.ts'
import type { UpgradePart } from './upgrade.ts'

/** A plugin's collections, as part of its upgrades: their declarations and records can be put back. */
export function collectionsPart({ clock }: Core): UpgradePart {
  return {
    name: 'collections',
    snapshot: (tx, pluginId) => snapshotCollections(tx, pluginId),
    async apply(tx, pluginId, { contributes }) {
      const declarations = (contributes?.collections ?? []) as readonly CollectionDeclaration[]
      await applyCollections(tx, pluginId, { declarations, now: clock.now() })
    },
    async restore(tx, _pluginId, snapshot) {
      if (snapshot) await restoreCollections(tx, snapshot as CollectionsSnapshot, { now: clock.now() })
    },
  }
}

/** A plugin's collections, as data that it owns. */
export function collectionsData({ database }: Core): DataPart {
  return {
    async describe(pluginId) {
      const counts = await countCollections(database.db, pluginId)
      return { collections: counts.map(({ id, records }) => ({ id, records })) }
    },
    async *export(pluginId) {
      for await (const { collection, records } of exportCollections(database.analytics, pluginId))
        for (const record of records) yield { type: 'record', collection, ...record }
    },
    erase: (pluginId) => transact(database.db, (tx) => eraseCollections(tx, pluginId)),
  }
}
