import { AppError } from '@huitou/plugin-api'
import type { Disposable, FetchResponse, Huitou } from '@huitou/plugin-api'
import type { Settings } from './settings.ts'

/** What stands behind one plugin's `huitou`, with the plugin already known. */
export interface Facade {
  settings(): Settings
  brand(): Huitou['brand']
  now(): number
  listeners: Set<(settings: Settings) => void>
  register(point: string, id: string, implementation: object): Disposable
  effect(method: string, query: unknown): Promise<unknown>
  tell(method: string, query: unknown): void
}

/** The `huitou` that a plugin's `activate` receives. */
export function createHuitou(facade: Facade): Huitou {
  const effect = <T>(method: string) => ((query: unknown) => facade.effect(method, query)) as T
  const log = (level: string) => (message: string, facts?: object) =>
    facade.tell('log', { level, message, ...(facts ? { facts } : {}) })
  const registry = (point: string) => ({
    register: (id: string, implementation: object) => facade.register(point, id, implementation),
  })
  return {
    get settings() {
      return facade.settings()
    },
    get brand() {
      return facade.brand()
    },
    onDidChangeSettings(listener) {
      facade.listeners.add(listener)
      return { dispose: () => void facade.listeners.delete(listener) }
    },
    log: { info: log('info'), warn: log('warn'), error: log('error') },
    clock: { now: () => facade.now() },
    i18n: { t: (key) => key },
    progress: (progress) => facade.tell('progress', progress),
    storage: {
      get: effect('storage.get'),
      set: (key, value) => facade.effect('storage.set', { key, value }) as Promise<void>,
      delete: effect('storage.delete'),
      list: effect('storage.list'),
    },
    secrets: {
      get: effect('secrets.get'),
      set: (key, value) => facade.effect('secrets.set', { key, value }) as Promise<void>,
      delete: effect('secrets.delete'),
    },
    fetch: (url, init) => facade.effect('fetch', { url, init }) as Promise<FetchResponse>,
    customers: {
      read: effect('customers.read'),
      aggregate: effect('customers.aggregate'),
      find: effect('customers.find'),
      tag: (customerIds, tag) => facade.effect('customers.tag', { customerIds, tag }) as Promise<void>,
      untag: (customerIds, tag) =>
        facade.effect('customers.tag', { customerIds, tag, remove: true }) as Promise<void>,
    },
    events: {
      append: effect('events.append'),
      query: effect('events.query'),
      perCustomer: effect('events.perCustomer'),
      series: effect('events.series'),
    },
    get db(): never {
      throw new AppError('bug', 'E_UNKNOWN_EFFECT', 'huitou.db is not there yet')
    },
    collections: {},
    commands: {
      ...registry('commands'),
      execute: (id, input) => facade.effect('commands.execute', { id, input }),
    },
    scorers: registry('scorers'),
    segmenters: registry('segmenters'),
    reports: registry('reports'),
    sources: registry('sources'),
    channels: registry('channels'),
    actions: registry('actions'),
    conditions: registry('conditions'),
    gates: registry('gates'),
    models: registry('models'),
    collectionHooks: registry('collections'),
    extensionPoint: (id) => {
      throw new AppError('bug', 'E_UNKNOWN_EFFECT', `huitou.extensionPoint("${id}") is not there yet`)
    },
    extensions: registry('extensions'),
  }
}
