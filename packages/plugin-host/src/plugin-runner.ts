import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { startCpuProfile } from 'node:v8'
import { AppError } from '@huitou/plugin-api'
import type { Disposable, Huitou, Plugin, RunContext } from '@huitou/plugin-api'
import type { Usage } from './budget.ts'
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
  /** More of its context, for instance the key of an action. */
  facts?: Record<string, unknown> | undefined
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
  providePluginApi()
  const runner = new PluginRunner(wire)
  endOnUncaught((error) => runner.tellOfCrash(error))
}

type Command = (args: never, signal: AbortSignal) => unknown

class PluginRunner {
  readonly #peer: Peer
  readonly #current = new AsyncLocalStorage<Cause>()
  readonly #commands: Readonly<Record<string, Command>> = {
    activate: ([request]: [ActivationRequest], signal) => this.#activate(request, signal),
    probe: ([{ required }]: [{ required: [point: string, id: string][] }], signal) =>
      this.#probe(required, signal),
    deactivate: (_args: [], signal) => this.#deactivate(signal),
    call: ([request, args]: [CallRequest, unknown[]], signal) => this.#call(request, args, signal),
    settings: ([settings]: [Settings]) => this.#changeSettings(settings),
    brand: ([brand]: [Huitou['brand']]) => void (this.#brand = brand),
    event: ([event, at]: [string, number], signal) => this.#hear(event, at, signal),
    topic: ([topic, payload]: [string, unknown]) => this.#tell(this.#running?.topics.get(topic), payload),
    profile: ([ms]: [number]) => profile(ms),
    usage,
    ping: () => 'pong',
  }
  #running: RunningPlugin | undefined
  #now = 0
  #brand!: Huitou['brand']

  constructor(wire: Wire) {
    this.#peer = createPeer(wire, (method, args, signal) => {
      const command = this.#commands[method]
      if (command) return command(args as never, signal)
      throw new AppError('bug', 'E_UNKNOWN_COMMAND', `The host sent "${method}", which does not exist`)
    })
  }

  tellOfCrash(error: unknown): void {
    this.#peer.notify('crash', [toWireError(error)])
  }

  async #activate(request: ActivationRequest, signal: AbortSignal): Promise<void> {
    this.#now = request.now
    this.#brand = request.brand
    await this.#current.run({ signal }, async () => {
      const plugin = await importPlugin(request)
      const entry = createRunning(plugin, request)
      this.#running = entry
      const { subscriptions } = entry
      await plugin.activate(createHuitou(this.#toFacade(entry)), { subscriptions, reason: request.reason })
    })
  }

  /** What a new version must show before it takes an old one's place. */
  async #probe(required: [point: string, id: string][], signal: AbortSignal): Promise<void> {
    const running = this.#running
    for (const [point, id] of required) {
      if (running?.implementations.has(`${point} ${id}`)) continue
      const message = `${point} "${id}" of plugin "${running?.request.pluginId}" was declared but never registered`
      throw new AppError('bug', 'E_NOT_IMPLEMENTED', message)
    }
    await this.#current.run({ signal }, async () => await running?.plugin.probe?.())
  }

  async #deactivate(signal: AbortSignal): Promise<void> {
    const entry = this.#running
    this.#running = undefined
    if (!entry) return
    await this.#current.run({ signal }, async () => {
      try {
        await entry.plugin.deactivate?.()
      } finally {
        disposeAll(entry)
      }
    })
  }

  async #call(request: CallRequest, args: unknown[], signal: AbortSignal): Promise<unknown> {
    this.#now = request.now
    const implementation = getImplementation(this.#running, request)
    const { now, locale, facts, callId } = request
    const progress = (done: unknown) => this.#peer.notify('effect', ['progress', [done], callId])
    const context: RunContext & { progress: typeof progress } = {
      ...facts,
      now,
      signal,
      progress,
      ...(locale === undefined ? {} : { locale }),
    }
    return await this.#current.run({ signal, callId }, () => implementation(...args, context))
  }

  #changeSettings(settings: Settings): void {
    const entry = this.#running
    if (!entry) return
    entry.settings = Object.freeze(settings)
    this.#tell(entry.listeners, entry.settings)
  }

  async #hear(event: string, at: number, signal: AbortSignal): Promise<void> {
    this.#now = at
    await this.#current.run({ signal }, () => this.#running?.plugin.onActivationEvent?.(event))
  }

  #tell<T>(listeners: Iterable<(payload: T) => void> = [], payload: T): void {
    this.#current.run({ signal: neverAborts }, () => {
      for (const listener of listeners) listener(payload)
    })
  }

  #toFacade(entry: RunningPlugin): Facade {
    const { request, listeners } = entry
    return {
      pluginId: request.pluginId,
      entry: request.entry,
      listeners,
      settings: () => entry.settings,
      brand: () => this.#brand,
      now: () => this.#now,
      register: (point, id, implementation) => register(entry, point, id, implementation),
      effect: (method, query) => {
        const cause = this.#current.getStore()
        return this.#peer.call('effect', [method, [query], cause?.callId], { signal: cause?.signal })
      },
      tell: (method, query) =>
        this.#peer.notify('effect', [method, [query], this.#current.getStore()?.callId]),
      on(topic, listener) {
        const topics = entry.topics.get(topic) ?? new Set()
        entry.topics.set(topic, topics.add(listener))
        return { dispose: () => void topics.delete(listener) }
      },
    }
  }
}

async function profile(ms: number): Promise<string> {
  const running = startCpuProfile()
  await sleep(ms)
  return running.stop()
}

function usage(): Usage {
  const { user, system } = process.cpuUsage()
  return { cpuMs: (user + system) / 1_000, memoryBytes: process.memoryUsage.rss() }
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
