import type { Disposable, Huitou } from '@huitou/plugin-api'
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
    customers: { read: effect('customers.read'), aggregate: effect('customers.aggregate') },
    events: { perCustomer: effect('events.perCustomer'), series: effect('events.series') },
    scorers: registry('scorers'),
    segmenters: registry('segmenters'),
    reports: registry('reports'),
    sources: registry('sources'),
  }
}
