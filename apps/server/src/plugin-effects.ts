import {
  collectionEffects,
  type Core,
  createPluginTask,
  type Logger,
  type PluginCaller,
  runCommandFor,
} from '@huitou/core'
import {
  type EffectContext,
  type EffectHandlers,
  type Effects,
  needsOf,
  PluginFetch,
  type PluginHost,
  routeEffects,
} from '@huitou/plugin-host'
import { withoutPersonalData } from './personal-log.ts'
import { PluginExtensions } from './plugin-extensions.ts'
import type { SecretBox } from './secret-box.ts'

/** A command that another plugin waits for. */
const COMMAND_DEADLINE_MS = 60_000

export interface EffectsOptions {
  core: Core
  log: Logger
  box: SecretBox
  /** The host that plugins run in, which is made after this: whoever asks before waits for it. */
  host(): Promise<PluginHost>
}

/** What plugins can ask of the core, already checked against what the owner granted; the core checks the rest. */
export function pluginEffects(options: EffectsOptions): Effects & AsyncDisposable {
  const { core } = options
  const network = new PluginFetch({ clock: { now: () => performance.now() } })
  const route = routeEffects({ ...dataEffects(options), ...outwardEffects(options, network) })
  const effects: Effects = (pluginId, method, args, context) => {
    const caller = toCaller(context)
    // Permissions that only the core sees used, by a query, are written down there.
    for (const { permission } of needsOf(caller, method, args)) core.access.noteUse(caller, permission)
    return route(pluginId, method, args, context)
  }
  return Object.assign(effects, {
    async [Symbol.asyncDispose]() {
      await network.close()
      core.access.close()
    },
  })
}

type OutwardMethod = 'fetch' | 'commands.execute' | 'extensions.list' | 'extensions.call' | 'progress' | 'log'

function dataEffects({ core, box }: EffectsOptions): Omit<EffectHandlers, OutwardMethod> {
  const { access } = core
  return {
    'customers.read': (query, context) => access.readCustomers(toCaller(context), query),
    'customers.aggregate': (query, context) => access.aggregateCustomers(toCaller(context), query),
    'customers.find': ({ key }, context) => access.findCustomer(toCaller(context), key),
    'customers.tag': ({ customerIds, tag }, context) =>
      access.tag(toCaller(context), { customerIds, tag, on: true }),
    'customers.untag': ({ customerIds, tag }, context) =>
      access.tag(toCaller(context), { customerIds, tag, on: false }),
    'events.perCustomer': (query, context) => access.eventsPerCustomer(toCaller(context), query),
    'events.series': (query, context) => access.eventSeries(toCaller(context), query),
    'events.query': (query, context) => access.queryEvents(toCaller(context), query),
    'events.append': ({ events }, context) => access.appendEvents(toCaller(context), events),
    'tasks.create': (task, { pluginId }) => createPluginTask(core, pluginId, task),
    'db.query': ({ tree }, context) => access.query(toCaller(context), tree, { signal: context.signal }),
    'storage.get': async ({ key }, { pluginId }) => (await access.storage(pluginId).get(key)) as never,
    'storage.set': ({ key, value }, { pluginId }) => access.storage(pluginId).set(key, value),
    'storage.delete': ({ key }, { pluginId }) => access.storage(pluginId).delete(key),
    'storage.list': ({ prefix }, { pluginId }) => access.storage(pluginId).list(prefix),
    'secrets.get': ({ key }, { pluginId }) => access.secrets(pluginId, box).get(key),
    'secrets.set': ({ key, value }, { pluginId }) => access.secrets(pluginId, box).set(key, value),
    'secrets.delete': ({ key }, { pluginId }) => access.secrets(pluginId, box).delete(key),
    ...collectionEffects(core.collections),
  }
}

function outwardEffects(
  { core, log, host }: EffectsOptions,
  network: PluginFetch,
): Pick<EffectHandlers, OutwardMethod> {
  const extensions = new PluginExtensions(host)
  return {
    fetch: ({ url, init }, context) => network.fetch(context, url, init),
    'commands.execute': async ({ id, input }, { pluginId, signal }) =>
      await runCommandFor(core, pluginId, {
        command: id,
        input,
        locale: (await core.brand()).locale,
        signal: AbortSignal.any([signal, AbortSignal.timeout(COMMAND_DEADLINE_MS)]),
        onProgress: () => {},
      }),
    'extensions.list': ({ point }) => extensions.list(point),
    'extensions.call': (query, { signal }) => extensions.call(query, { now: core.clock.now(), signal }),
    // The host tells whoever waits for the call; there is nothing to do here.
    progress: () => {},
    log: ({ level, message, facts }, { pluginId }) =>
      log[level]({ plugin: pluginId, ...withoutPersonalData(facts) }, withoutPersonalData(message)),
  }
}

function toCaller({ pluginId, columnPrefix, version, permissions }: EffectContext): PluginCaller {
  return { id: pluginId, columnPrefix, version, permissions }
}
