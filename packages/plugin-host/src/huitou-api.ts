import type {
  Collection,
  Disposable,
  Extension,
  ExtensionPointAccess,
  FetchResponse,
  Huitou,
} from '@huitou/plugin-api'
import type { Kysely } from 'kysely'
import type { EffectMethod, EffectMethods, FetchAnswer } from './effects.ts'
import { createPluginDb } from './plugin-db.ts'
import { PluginTexts } from './plugin-texts.ts'
import type { Settings } from './settings.ts'

/** What stands behind one plugin's `huitou`, with the plugin already known. */
export interface Facade {
  pluginId: string
  /** URL of the plugin's entry. */
  entry: string
  settings(): Settings
  brand(): Huitou['brand']
  now(): number
  listeners: Set<(settings: Settings) => void>
  register(point: string, id: string, implementation: object): Disposable
  effect(method: string, query: unknown): Promise<unknown>
  tell(method: string, query: unknown): void
  /** Notices of the host about `topic`. */
  on(topic: string, listener: (payload: unknown) => void): Disposable
}

type Ask = <Method extends EffectMethod>(
  method: Method,
  query: Parameters<EffectMethods[Method]>[0],
) => Promise<ReturnType<EffectMethods[Method]>>

/** The `huitou` that a plugin's `activate` receives. */
export function createHuitou(facade: Facade): Huitou {
  const ask = facade.effect as Ask
  const log = (level: string) => (message: string, facts?: object) =>
    facade.tell('log', { level, message, ...(facts ? { facts } : {}) })
  const registry = (point: string) => ({
    register: (id: string, implementation: object) => facade.register(point, id, implementation),
  })
  const texts = new PluginTexts(facade.entry)
  let db: Kysely<any> | undefined
  return {
    get settings() {
      return facade.settings()
    },
    get brand() {
      return facade.brand()
    },
    get db() {
      return (db ??= createPluginDb(async (tree) => await ask('db.query', { tree })))
    },
    onDidChangeSettings(listener) {
      facade.listeners.add(listener)
      return { dispose: () => void facade.listeners.delete(listener) }
    },
    log: { info: log('info'), warn: log('warn'), error: log('error') },
    clock: { now: () => facade.now() },
    i18n: { t: (key, parameters, locale = facade.brand().locale) => texts.t(key, parameters, locale) },
    progress: (progress) => facade.tell('progress', progress),
    storage: {
      get: (async (key: string) => await ask('storage.get', { key })) as Huitou['storage']['get'],
      set: async (key, value) => await ask('storage.set', { key, value }),
      delete: async (key) => await ask('storage.delete', { key }),
      list: async (prefix = '') => await ask('storage.list', { prefix }),
    },
    secrets: {
      get: async (key) => await ask('secrets.get', { key }),
      set: async (key, value) => await ask('secrets.set', { key, value }),
      delete: async (key) => await ask('secrets.delete', { key }),
    },
    fetch: async (url, init = {}) => toResponse(await ask('fetch', { url: String(url), init })),
    customers: {
      read: async (query) => await ask('customers.read', query),
      aggregate: async (query) => await ask('customers.aggregate', query),
      find: async (key) => await ask('customers.find', { key }),
      tag: async (customerIds, tag) => await ask('customers.tag', { customerIds, tag }),
      untag: async (customerIds, tag) => await ask('customers.untag', { customerIds, tag }),
    },
    events: {
      append: async (events) => await ask('events.append', { events }),
      query: async (query) => await ask('events.query', query),
      perCustomer: async (query) => await ask('events.perCustomer', query),
      series: async (query) => await ask('events.series', query),
    },
    tasks: { create: async (task) => await ask('tasks.create', task) },
    collections: collectionsOf(facade.pluginId, ask),
    commands: {
      ...registry('commands'),
      execute: async (id, input = {}) =>
        await ask('commands.execute', { id: fullId(facade.pluginId, id), input }),
    },
    scorers: registry('scorers'),
    segmenters: registry('segmenters'),
    reports: registry('reports'),
    sources: registry('sources'),
    channels: registry('channels'),
    actions: registry('actions'),
    conditions: registry('conditions'),
    gates: registry('gates'),
    erasers: registry('erasers'),
    models: registry('models'),
    collectionHooks: registry('collections'),
    views: registry('views'),
    extensions: registry('extensions'),
    extensionPoint: <T>(id: string) => extensionPointOf<T>(facade, ask, id),
  }
}

/** Own things go by their id, those of others by `publisher.name/id`. */
function fullId(pluginId: string, id: string): string {
  return id.includes('/') ? id : `${pluginId}/${id}`
}

/** Any collection by its id: whether there is one is for the server to say. */
function collectionsOf(pluginId: string, ask: Ask): Huitou['collections'] {
  const made = new Map<string, Collection>()
  return new Proxy({} as Record<string, Collection>, {
    get(_, id) {
      if (typeof id !== 'string' || id === 'then') return undefined
      const known = made.get(id)
      if (known) return known
      const collection = collectionOf(fullId(pluginId, id), ask)
      made.set(id, collection)
      return collection
    },
  })
}

function collectionOf(collection: string, ask: Ask): Collection {
  return {
    find: async (query = {}) => await ask('collections.find', { ...query, collection }),
    get: async (id) => await ask('collections.get', { collection, id }),
    insert: async (data) => await ask('collections.insert', { collection, data }),
    update: async (id, changes, { version } = {}) =>
      await ask('collections.update', {
        collection,
        id,
        changes,
        ...(version === undefined ? {} : { version }),
      }),
    delete: async (id) => await ask('collections.delete', { collection, id }),
    count: async (query = {}) => await ask('collections.count', { ...query, collection }),
  }
}

function extensionPointOf<T>(facade: Facade, ask: Ask, id: string): ExtensionPointAccess<T> {
  const point = `${facade.pluginId}/${id}`
  return {
    list: async () => (await ask('extensions.list', { point })) as Extension<T>[],
    call: async (contributorId, method, input) =>
      await ask('extensions.call', { point, contributorId, method, input }),
    onDidChange: (listener) => facade.on(`extensions ${point}`, () => listener()),
  }
}

function toResponse({ status, statusText, url, headers, body }: FetchAnswer): FetchResponse {
  const found = new Headers(headers)
  const text = () => new TextDecoder().decode(body)
  return {
    ok: status >= 200 && status < 300,
    status,
    statusText,
    url,
    headers: { get: (name) => found.get(name), entries: () => found.entries() },
    text: async () => text(),
    json: async () => JSON.parse(text()) as unknown,
    bytes: async () => body.slice(),
  }
}
