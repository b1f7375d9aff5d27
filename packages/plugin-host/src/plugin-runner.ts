import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { startCpuProfile } from 'node:v8'
import { AppError } from '@huitou/plugin-api'
import type { Disposable, Huitou, Plugin, RunContext } from '@huitou/plugin-api'
import { createHuitou } from './huitou-api.ts'
import type { Facade } from './huitou-api.ts'
import { createPeer } from './peer.ts'
import type { Peer, Wire } from './peer.ts'
import { providePluginApi } from './provide-plugin-api.ts'
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
  /** Names the call, when somebody wants to hear of its progress. */
  callId?: number | undefined
}

interface RunningPlugin {
  readonly plugin: Plugin
  readonly request: ActivationRequest
  readonly implementations: Map<string, object>
  readonly subscriptions: Disposable[]
  readonly listeners: Set<(settings: Settings) => void>
  /** What wants to hear of notices from the host, by topic. */
  readonly topics: Map<string, Set<(payload: unknown) => void>>
  settings: Settings
}

/** What the code that runs now was started for. */
interface Cause {
  signal: AbortSignal
  callId?: number | undefined
}

/**
 * Runs one plugin on this end of `wire`, in whatever thread or process this is, until the other end closes. An error
 * that nobody catches ends the thread or process, after telling the host.
 */
export function runPlugin(wire: Wire): void {
  const current = new AsyncLocalStorage<Cause>()
  let running: RunningPlugin | undefined
  let now = 0
  let brand: Huitou['brand']

  const commands: Record<string, (args: never, signal: AbortSignal) => unknown> = {
    async activate([request]: [ActivationRequest], signal) {
      ;({ now, brand } = request)
      await current.run({ signal }, async () => {
        const plugin = await importPlugin(request)
        const entry = createRunning(plugin, request)
        running = entry
        await plugin.activate(createHuitou(toFacade(entry)), {
          subscriptions: entry.subscriptions,
          reason: request.reason,
        })
      })
    },

    /** What a new version must show before it takes an old one's place. */
    async probe([{ required }]: [{ required: [point: string, id: string][] }], signal) {
      for (const [point, id] of required) {
        if (running?.implementations.has(`${point} ${id}`)) continue
        const message = `${point} "${id}" of plugin "${running?.request.pluginId}" was declared but never registered`
        throw new AppError('bug', 'E_NOT_IMPLEMENTED', message)
      }
      await current.run({ signal }, async () => await running?.plugin.probe?.())
    },

    async deactivate(_args: [], signal) {
      const entry = running
      running = undefined
      if (!entry) return
      await current.run({ signal }, async () => {
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
      const { locale, callId } = request
      const progress = (done: unknown) => peer.notify('effect', ['progress', [done], callId])
      const context: RunContext & { progress: typeof progress } = {
        now,
        signal,
        progress,
        ...(locale === undefined ? {} : { locale }),
      }
      return await current.run({ signal, callId }, () => implementation(...args, context))
    },

    settings([settings]: [Settings]) {
      if (!running) return
      const entry = running
      entry.settings = Object.freeze(settings)
      current.run({ signal: neverAborts }, () => {
        for (const listener of entry.listeners) listener(entry.settings)
      })
    },

    brand([changed]: [Huitou['brand']]) {
      brand = changed
    },

    async event([event, at]: [string, number], signal) {
      now = at
      await current.run({ signal }, () => running?.plugin.onActivationEvent?.(event))
    },

    topic([topic, payload]: [string, unknown]) {
      const listeners = running?.topics.get(topic) ?? []
      current.run({ signal: neverAborts }, () => {
        for (const listener of listeners) listener(payload)
      })
    },

    async profile([ms]: [number]) {
      const profile = startCpuProfile()
      await sleep(ms)
      return profile.stop()
    },

    usage: () => ({ cpuMs: process.cpuUsage().user / 1_000, memoryBytes: process.memoryUsage.rss() }),

    ping: () => 'pong',
  }

  const peer: Peer = createPeer(wire, (method, args, signal) => {
    const command = commands[method]
    if (!command)
      throw new AppError('bug', 'E_UNKNOWN_COMMAND', `The host sent "${method}", which does not exist`)
    return command(args as never, signal)
  })

  function toFacade(entry: RunningPlugin): Facade {
    const { request, listeners } = entry
    const facade = {
      pluginId: request.pluginId,
      entry: request.entry,
      listeners,
      settings: () => entry.settings,
      brand: () => brand,
      now: () => now,
      register: (point: string, id: string, implementation: object) =>
        register(entry, point, id, implementation),
      effect(method: string, query: unknown) {
        const cause = current.getStore()
        return peer.call('effect', [method, [query], cause?.callId], { signal: cause?.signal })
      },
      tell: (method: string, query: unknown) =>
        peer.notify('effect', [method, [query], current.getStore()?.callId]),
      on(topic: string, listener: (payload: unknown) => void) {
        const topics = entry.topics.get(topic) ?? new Set()
        entry.topics.set(topic, topics.add(listener))
        return { dispose: () => void topics.delete(listener) }
      },
    }
    return facade
  }

  providePluginApi()
  endOnUncaught((error) => peer.notify('crash', [toWireError(error)]))
}

const neverAborts = new AbortController().signal

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
    topics: new Map(),
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
  running: RunningPlugin | undefined,
  { pluginId, point, id, method }: CallRequest,
): (...args: unknown[]) => unknown {
  const implementation = running?.implementations.get(`${point} ${id}`) as
    | Record<string, ((...args: unknown[]) => unknown) | undefined>
    | undefined
  const implementing = implementation?.[method]
  if (typeof implementing === 'function') return implementing.bind(implementation)
  const missing = implementation ? `has no ${method}()` : 'was declared but never registered'
  throw new AppError('bug', 'E_NOT_IMPLEMENTED', `${point} "${id}" of plugin "${pluginId}" ${missing}`)
}

/** Undoes in reverse order, and all of it even when one throws. */
function disposeAll({ subscriptions, implementations, listeners, topics }: RunningPlugin): void {
  implementations.clear()
  listeners.clear()
  topics.clear()
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
