import type { Collection, CollectionQuery } from '@huitou/plugin-api'
import { memoryEffects } from './memory-effects.ts'

/** A collection that begins empty and lives in memory, for code that is handed one. It checks no schema. */
export function memoryCollection<T>(clock: { now(): number }): Collection<T> {
  const effects = memoryEffects({}, clock) as unknown as Record<string, (query: object) => unknown>
  const call = async (method: string, query: object) =>
    (await effects[`collections.${method}`]?.({ collection: 'records', ...query })) as never
  return {
    find: (query: CollectionQuery = {}) => call('find', query),
    get: (id) => call('get', { id }),
    insert: (data) => call('insert', { data }),
    update: (id, changes, options = {}) => call('update', { id, changes, ...options }),
    delete: (id) => call('delete', { id }),
    count: (query = {}) => call('count', query),
  }
}
