import {
  aggregateCustomers,
  type Core,
  eventSeries,
  eventsPerCustomer,
  type Logger,
  readCustomers,
} from '@huitou/core'
import { type Effects, routeEffects } from '@huitou/plugin-host'

/** What plugins can ask of the core, already checked against what the owner granted. */
export function pluginEffects(core: Core, log: Logger): Effects {
  return routeEffects({
    'customers.read': (query) => readCustomers(core, query),
    'customers.aggregate': (query) => aggregateCustomers(core, query),
    'events.perCustomer': (query) => eventsPerCustomer(core, query),
    'events.series': (query) => eventSeries(core, query),
    log: ({ level, message, facts }, { pluginId }) => log[level]({ plugin: pluginId, ...facts }, message),
  })
}
