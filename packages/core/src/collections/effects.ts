import { type CollectionQuery, type CollectionRecord, userError } from '@huitou/plugin-api'
import type { Collections } from './collections.ts'
import { filterOfWhere } from './filter.ts'
import type { RecordData } from './record-schema.ts'
import type { StoredRecord } from './record.ts'

/** Which collection a plugin means: an own id, or `publisher.name/id` of another plugin's. */
interface Named {
  collection: string
}

interface Caller {
  pluginId: string
}

const LIMIT = 100
const MOST = 1_000

/**
 * What `huitou.collections.<id>` of a plugin does, method by method. The caller has checked what the plugin was
 * granted: its own collections always, others by the permission `collections`.
 */
export function collectionEffects(collections: Collections) {
  const idOf = ({ collection }: Named, { pluginId }: Caller) => fullCollectionId(collection, pluginId)
  const by = ({ pluginId }: Caller) => `plugin:${pluginId}` as const
  return {
    'collections.find': async (query: Named & CollectionQuery, caller: Caller) => {
      const { records, cursor } = await collections.find(idOf(query, caller), {
        ...toSearch(query),
        limit: limitOf(query),
      })
      return { records: records.map(toPluginRecord), ...(cursor === undefined ? {} : { cursor }) }
    },
    'collections.count': async (query: Named & Pick<CollectionQuery, 'where' | 'search'>, caller: Caller) =>
      await collections.count(idOf(query, caller), toSearch(query)),
    'collections.get': async (query: Named & { id: string }, caller: Caller) =>
      toPluginRecord(await collections.get(idOf(query, caller), query.id)),
    'collections.insert': async (query: Named & { data: RecordData }, caller: Caller) =>
      toPluginRecord(await collections.insert(idOf(query, caller), objectOf(query.data), { by: by(caller) })),
    'collections.update': async (
      query: Named & { id: string; changes: RecordData; version?: number },
      caller: Caller,
    ) =>
      toPluginRecord(
        await collections.update(idOf(query, caller), query.id, {
          data: objectOf(query.changes),
          version: query.version,
          by: by(caller),
        }),
      ),
    'collections.delete': async (query: Named & { id: string }, caller: Caller) => {
      await collections.delete(idOf(query, caller), [query.id], { by: by(caller) })
    },
  }
}

/** `publisher.name/id` of a collection that a plugin names by its own id or in full. */
export function fullCollectionId(collection: string, pluginId: string): string {
  return collection.includes('/') ? collection : `${pluginId}/${collection}`
}

function toSearch({ where, search, sort, cursor }: CollectionQuery) {
  return {
    ...(where ? { filter: filterOfWhere(where) } : {}),
    search,
    cursor,
    ...(sort ? { sort: { field: sort.field, dir: sort.direction ?? ('asc' as const) } } : {}),
  }
}

function limitOf({ limit = LIMIT }: CollectionQuery): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= MOST) return limit
  throw userError('E_LIMIT', `A page holds 1 to ${MOST} records`, { details: { limit, most: MOST } })
}

function objectOf(data: unknown): RecordData {
  if (typeof data === 'object' && data !== null && !Array.isArray(data)) return data as RecordData
  throw userError('E_RECORD', 'A record is an object with a value for each field', { status: 422 })
}

/** Who wrote it is for people to see. */
function toPluginRecord({ id, data, version, createdAt, updatedAt }: StoredRecord): CollectionRecord {
  return { id, data, version, createdAt, updatedAt }
}
