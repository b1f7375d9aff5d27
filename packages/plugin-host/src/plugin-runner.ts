import { AsyncLocalStorage } from 'node:async_hooks'
import { AppError } from '@huitou/plugin-api'
import type { Disposable, Huitou, Plugin, RunContext } from '@huitou/plugin-api'
import { createHuitou } from './huitou-api.ts'
import type { Facade } from './huitou-api.ts'
import { createPeer } from './peer.ts'
import type { Peer, Wire } from './peer.ts'
import type { Settings } from './settings.ts'
import { toWireError } from './wire-error.ts'

/** What the host sends to activate a plugin. */
export interface ActivationRequest {
  pluginId: string
  /** URL of the ESM entry. */
  entry: string
  /** Ids the manifest declares, by contribution point. */
  declared: Record<string, string[]>
  settings: Settings
  brand: Huitou['brand']
  reason: string
  now: number
}

/** What the host sends, beside the arguments, to call an implementation. */
export interface CallRequest {
  pluginId: string
  point: string
  id: string
  method: string
  now: number
  locale?: string | undefined
}

interface RunningPlugin {
  readonly plugin: Plugin
  readonly request: ActivationRequest
  readonly implementations: Map<string, object>
  readonly subscriptions: Disposable[]
  readonly listeners: Set<(settings: Settings) => void>
  settings: Settings
}

/**
 * Runs plugins on this end of `wire`, in whatever thread or process this is, until the other end closes.
 * An error that nobody catches ends the thread or process, after naming the plugin it came from.
 */
export function runPlugins(wire: Wire): void {
  const running = new Map<string, RunningPlugin>()
  const current = new AsyncLocalStorage<{ pluginId: string; signal: AbortSignal }>()
  let now = 0
  let brand: Huitou['brand']

  const commands: Record<string, (args: never, signal: AbortSignal) => unknown> = {
    async activate([request]: [ActivationRequest], signal) {
      ;({ now, brand } = request)
      const { pluginId, reason } = request
      await current.run({ pluginId, signal }, async () => {
        const plugin = await importPlugin(request)
        const entry = createRunning(plugin, request)
        running.set(pluginId, entry)
        try {
          await plugin.activate(createHuitou(toFacade(entry)), { subscriptions: entry.subscriptions, reason })
        } catch (error) {
          running.delete(pluginId)
          disposeAll(entry)
          throw error
        }
      })
    },

    async deactivate([pluginId]: [string], signal) {
      const entry = running.get(pluginId)
      if (!entry) return
      running.delete(pluginId)
      await current.run({ pluginId, signal }, async () => {
        try {
          await entry.plugin.deactivate?.()
        } finally {
          disposeAll(entry)
        }
      })
    },

    async call([request, args]: [CallRequest, unknown[]], signal) {
      now = request.now
      const implementation = getImplementation(running, request)
      const context: RunContext = {
        now,
        signal,
        ...(request.locale === undefined ? {} : { locale: request.locale }),
      }
      return await current.run({ pluginId: request.pluginId, signal }, () => implementation(...args, context))
    },

    settings([pluginId, settings]: [string, Settings]) {
      const entry = running.get(pluginId)
      if (!entry) return
      entry.settings = Object.freeze(settings)
      current.run({ pluginId, signal: new AbortController().signal }, () => {
        for (const listener of entry.listeners) listener(entry.settings)
      })
    },

    brand([changed]: [Huitou['brand']]) {
      brand = changed
    },

    ping: () => 'pong',
  }

  const peer: Peer = createPeer(wire, (method, args, signal) => {
    const command = commands[method]
    if (!command)
      throw new AppError('bug', 'E_UNKNOWN_COMMAND', `The host sent "${method}", which does not exist`)
    return command(args as never, signal)
  })

  function toFacade(entry: RunningPlugin): Facade {
    const { pluginId } = entry.request
    return {
      settings: () => entry.settings,
      brand: () => brand,
      now: () => now,
      listeners: entry.listeners,
      register: (point, id, implementation) => register(entry, point, id, implementation),
      effect: (method, query) =>
        peer.call('effect', [pluginId, method, [query]], { signal: current.getStore()?.signal }),
      tell: (method, query) => peer.notify('effect', [pluginId, method, [query]]),
    }
  }

  endOnUncaught((error) => peer.notify('crash', [current.getStore()?.pluginId, toWireError(error)]))
}

/** An error nobody catches leaves a plugin in an unknown state: it is told, and the thread or process ends. */
function endOnUncaught(tell: (error: unknown) => void): void {
  const end = (error: unknown) => {
    tell(error)
    process.exit(1)
  }
  process.on('uncaughtException', end)
  process.on('unhandledRejection', end)
}

function createRunning(plugin: Plugin, request: ActivationRequest): RunningPlugin {
  return {
    plugin,
    request,
    implementations: new Map(),
    subscriptions: [],
    listeners: new Set(),
    settings: Object.freeze(request.settings),
  }
}

async function importPlugin({ pluginId, entry }: ActivationRequest): Promise<Plugin> {
  const { default: plugin } = (await import(entry)) as { default?: Partial<Plugin> }
  if (typeof plugin?.activate === 'function') return plugin as Plugin
  throw new AppError('bug', 'E_PLUGIN_ENTRY', `Plugin "${pluginId}" has no activate()`, {
    hint: 'Export definePlugin({ activate(huitou, context) { … } }) as default.',
  })
}

function register(
  { request, implementations }: RunningPlugin,
  point: string,
  id: string,
  implementation: object,
): Disposable {
  const declared = request.declared[point] ?? []
  if (!declared.includes(id)) {
    throw new AppError(
      'bug',
      'E_UNDECLARED',
      `Plugin "${request.pluginId}" registers ${point} "${id}", which its manifest does not declare`,
      {
        hint: `Add it to contributes.${point} in package.json${declared.length > 0 ? `; declared are: ${declared.join(', ')}` : ''}.`,
      },
    )
  }
  const key = `${point} ${id}`
  if (implementations.has(key)) {
    throw new AppError(
      'bug',
      'E_ALREADY_REGISTERED',
      `Plugin "${request.pluginId}" registers ${point} "${id}" twice`,
    )
  }
  implementations.set(key, implementation)
  return {
    dispose() {
      if (implementations.get(key) === implementation) implementations.delete(key)
    },
  }
}

function getImplementation(
  running: ReadonlyMap<string, RunningPlugin>,
  { pluginId, point, id, method }: CallRequest,
): (...args: unknown[]) => unknown {
  const implementation = running.get(pluginId)?.implementations.get(`${point} ${id}`) as
    | Record<string, ((...args: unknown[]) => unknown) | undefined>
    | undefined
  const implementing = implementation?.[method]
  if (typeof implementing === 'function') return implementing.bind(implementation)
  const missing = implementation ? `has no ${method}()` : 'was declared but never registered'
  throw new AppError('bug', 'E_NOT_IMPLEMENTED', `${point} "${id}" of plugin "${pluginId}" ${missing}`)
}

/** Undoes in reverse order, and all of it even when one throws. */
function disposeAll({ subscriptions, implementations, listeners }: RunningPlugin): void {
  implementations.clear()
  listeners.clear()
  const errors: unknown[] = []
  for (const subscription of subscriptions.splice(0).reverse()) {
    try {
      subscription.dispose()
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length > 0) throw errors[0]
}
