import { collectionEffects } from '@huitou/core'
import type { CollectionDeclaration, Core } from '@huitou/core'
import type { Collection, CollectionQuery } from '@huitou/plugin-api'

/** A collection of a manifest on the core's database, as the code of `plugin` is handed it. */
export async function coreCollection<T extends object>(
  core: Pick<Core, 'collections' | 'points'>,
  plugin: string,
  declaration: CollectionDeclaration,
): Promise<Collection<T>> {
  await core.collections.apply(plugin, [declaration])
  const owner = { plugin, prefix: plugin, text: (text: string) => ({ en: text, 'zh-CN': text }) }
  core.points.collections.add(owner, `${plugin}/${declaration.id}`, { ...declaration, run: {} } as never)
  const effects = collectionEffects(core.collections) as unknown as Record<
    string,
    (query: object, caller: { pluginId: string }) => Promise<never>
  >
  const call = (method: string, query: object) =>
    effects[`collections.${method}`]!({ collection: declaration.id, ...query }, { pluginId: plugin })
  return {
    find: (query: CollectionQuery = {}) => call('find', query),
    get: (id) => call('get', { id }),
    insert: (data) => call('insert', { data }),
    update: (id, changes, options = {}) => call('update', { id, changes, ...options }),
    delete: (id) => call('delete', { id }),
    count: (query = {}) => call('count', query),
  }
}
