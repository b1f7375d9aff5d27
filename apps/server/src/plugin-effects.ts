import type { Core, Logger } from '@huitou/core'
import { type Effects, routeEffects } from '@huitou/plugin-host'

/** What plugins can ask of the core, already checked against what the owner granted. */
export function pluginEffects(core: Core, log: Logger): Effects {
  return routeEffects({
    'customers.read': () => {
      throw new Error('not yet')
    },
    'customers.aggregate': () => {
      throw new Error('not yet')
    },
    'events.perCustomer': () => {
      throw new Error('not yet')
    },
    'events.series': () => {
      throw new Error('not yet')
    },
    log: ({ level, message, facts }, { pluginId }) => log[level]({ plugin: pluginId, ...facts }, message),
  })
}
