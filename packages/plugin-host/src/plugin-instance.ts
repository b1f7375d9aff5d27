import { AppError } from '@huitou/plugin-api'
import type { Permissions, Progress } from '@huitou/plugin-api'
import { authorise } from './broker.ts'
import { BudgetWatch } from './budget.ts'
import type { Budget, BudgetFinding, IsolationKind, Usage } from './budget.ts'
import type { Effects } from './effects.ts'
import type { LoadedManifest } from './manifest.ts'
import type { CallOptions } from './peer.ts'
import { toLogEntry } from './plugin-log.ts'
import type { PluginLogEntry } from './plugin-log.ts'
import type { ActivationRequest, CallRequest } from './plugin-runner.ts'
import type { Runtime, RuntimeOptions } from './runtime.ts'
import { shortText } from './short-text.ts'
import { Turnstile } from './turnstile.ts'

const deactivationDeadlineMs = 5_000
const effectsThatMayWait = 1_000
const busyLookMs = 250
/** A process can do more harm between two looks than a thread that is trusted. */
const idleLookMs = { process: 500, worker: 2_000 }
/** Between calls somebody who is only slow is told from somebody who hangs by more patience. */
const idlePatience = 5

/** What an instance tells whoever started it. */
export interface InstanceEvents {
  onExit(instance: PluginInstance, error: AppError): void
  onWarning(instance: PluginInstance, finding: Pick<BudgetFinding, 'code' | 'message'>): void
  onLog(entry: Omit<PluginLogEntry, 'at'>): void
}

export interface InstanceOptions {
  loaded: LoadedManifest
  grants: Permissions
  budget: Budget
  effects: Effects
  events: InstanceEvents
  clock: { now(): number }
  /** Starts the thread or process; absent for a plugin without code. */
  start: ((options: RuntimeOptions) => Promise<Runtime>) | undefined
}

export interface InstanceCallOptions extends CallOptions {
  onProgress?: ((progress: Progress) => void) | undefined
}

/**
 * One running version of one plugin: its thread or process, the calls under way in it, and what it asks for. While a
 * plugin is being replaced there are two of them.
 */
export class PluginInstance {
  readonly loaded: LoadedManifest
  grants: Permissions
  usage: Usage | undefined
  #budget: Budget
  readonly #options: InstanceOptions
  readonly #watch: BudgetWatch
  readonly #turnstile: Turnstile
  /** Aborts when the plugin is stopped, and with it the calls under way. */
  readonly #lifetime = new AbortController()
  /** Calls under way by id, with when they are due. */
  readonly #calls = new Map<number, { dueAt: number; onProgress: InstanceCallOptions['onProgress'] }>()
  readonly #idleListeners = new Set<() => void>()
  #runtime: Runtime | undefined
  #lookTimer: NodeJS.Timeout | undefined
  #lastSignOfLife = 0
  #lastCallId = 0

  constructor(options: InstanceOptions) {
    this.#options = options
    this.loaded = options.loaded
    this.grants = options.grants
    this.#budget = options.budget
    this.#watch = new BudgetWatch(options.budget)
    this.#turnstile = new Turnstile(options.budget.effectsAtOnce, effectsThatMayWait, () =>
      busyError(this.loaded.id),
    )
  }

  /** Holds at once, but for what is fixed when a process or thread starts, such as the size of its heap. */
  set budget(budget: Budget) {
    this.#budget = budget
    this.#watch.budget = budget
  }

  get kind(): IsolationKind {
    return this.#runtime?.kind ?? 'none'
  }

  get pid(): number | undefined {
    return this.#runtime?.pid
  }

  /** Calls under way. */
  get inFlight(): number {
    return this.#calls.size
  }

  /** Starts the code and has it register what it implements. */
  async activate(request: Omit<ActivationRequest, 'pluginId' | 'entry' | 'now'>): Promise<void> {
    const { start, loaded, clock, events } = this.#options
    const budget = this.#budget
    if (!start || loaded.entry === undefined) return
    const runtime = await start({
      serve: (method, args, signal) => this.#serve(method, args, signal),
      onExit: (error) => this.#ended(error),
      onOutput: (level, message) => events.onLog({ level, source: 'output', message }),
      onThrottled: (seconds) => {
        if (seconds === 1) events.onWarning(this, throttledWarning(budget))
      },
      budget,
    })
    this.#runtime = runtime
    this.#scheduleLook(busyLookMs)
    await this.#send(
      'activate',
      [{ ...request, pluginId: loaded.id, entry: loaded.entry, now: clock.now() }],
      {
        deadlineMs: budget.activationMs,
      },
    )
  }

  /** Throws unless everything `required` is registered and the plugin's own `probe`, if it has one, is content. */
  async probe(required: [point: string, id: string][], options: InstanceCallOptions = {}): Promise<void> {
    if (this.#runtime) await this.#send('probe', [{ required }], options)
    else if (required.length > 0) throw noCodeError(this.loaded.id)
  }

  /** Calls an implementation; typed arrays in `args` move to the plugin. */
  async call(request: CallRequest, args: unknown[], options: InstanceCallOptions = {}): Promise<unknown> {
    return await this.#send('call', [request, args], options)
  }

  /** Tells without waiting. */
  notify(method: 'settings' | 'brand' | 'event' | 'topic', args: unknown[]): void {
    this.#runtime?.peer.notify(method, args)
  }

  async profile(ms: number): Promise<string> {
    if (!this.#runtime) throw noCodeError(this.loaded.id)
    return await this.#runtime.profile(ms)
  }

  /** Gives it five seconds to tidy up, then ends it. Calls under way fail with `reason` at once. */
  async stop(reason: Error): Promise<unknown> {
    this.#lifetime.abort(reason)
    let problem: unknown
    try {
      await this.#runtime?.peer.call('deactivate', [], { deadlineMs: deactivationDeadlineMs })
    } catch (error) {
      problem = error
    }
    await this.end()
    return problem
  }

  /** Ends it at once. */
  async end(): Promise<void> {
    clearTimeout(this.#lookTimer)
    const runtime = this.#runtime
    this.#runtime = undefined
    await runtime?.stop()
  }

  /** Makes calls under way fail, an activation as well. */
  abort(reason: Error): void {
    this.#lifetime.abort(reason)
  }

  /** Resolves once no call is under way, or after `graceMs`. */
  async whenIdle(graceMs: number): Promise<void> {
    if (this.#calls.size === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, graceMs)
    this.#idleListeners.add(resolve)
    await promise
    clearTimeout(timer)
    this.#idleListeners.delete(resolve)
  }

  async #send(
    method: 'activate' | 'probe' | 'call',
    [request, ...args]: [object, ...unknown[]],
    { signal, deadlineMs: wanted = this.#budget.deadlineMs, onProgress }: InstanceCallOptions,
  ): Promise<unknown> {
    const deadlineMs = Math.min(wanted, this.#budget.longestCallMs)
    const runtime = this.#runtime
    if (!runtime) throw noCodeError(this.loaded.id)
    const callId = ++this.#lastCallId
    const lifetime = this.#lifetime.signal
    this.#calls.set(callId, { dueAt: performance.now() + deadlineMs, onProgress })
    this.#scheduleLook(busyLookMs)
    try {
      const answer = await runtime.peer.call(method, [{ ...request, callId }, ...args], {
        deadlineMs,
        signal: signal ? AbortSignal.any([signal, lifetime]) : lifetime,
      })
      this.#lastSignOfLife = performance.now()
      return answer
    } catch (error) {
      if (error instanceof AppError && error.code === 'E_DEADLINE') this.#checkAfterMissedDeadline(callId)
      throw error
    } finally {
      this.#calls.delete(callId)
      if (this.#calls.size === 0) for (const resolve of this.#idleListeners) resolve()
    }
  }

  /** Carries out what the plugin asks for, as far as it was granted. What comes in may be anything. */
  async #serve(_method: string, [called, args, callId]: unknown[], signal: AbortSignal): Promise<unknown> {
    if (typeof called !== 'string' || !Array.isArray(args)) {
      throw new AppError('bug', 'E_UNKNOWN_EFFECT', 'A call of huitou names no method')
    }
    this.#lastSignOfLife = performance.now()
    const { loaded, effects, events } = this.#options
    const { id, columnPrefix } = loaded
    if (called === 'progress') return this.#calls.get(callId as number)?.onProgress?.(toProgress(args[0]))
    authorise({ id, columnPrefix, permissions: this.grants }, called, args as unknown[])
    const entry = called === 'log' ? toLogEntry(args[0]) : undefined
    if (entry) events.onLog({ ...entry, source: 'plugin' })
    return await this.#turnstile.run(() => {
      if (signal.aborted) throw signal.reason
      const query = (entry ? [entry] : args) as unknown[]
      const { version } = loaded.manifest
      return effects(id, called, query, {
        pluginId: id,
        columnPrefix,
        version,
        permissions: this.grants,
        signal,
      })
    })
  }

  #ended(error: AppError): void {
    clearTimeout(this.#lookTimer)
    this.#runtime = undefined
    this.#options.events.onExit(this, error)
  }

  /** A call that is still within its time may be what keeps the plugin busy; its own deadline comes. */
  #checkAfterMissedDeadline(callId: number): void {
    const now = performance.now()
    const othersInTime = [...this.#calls].some(([id, { dueAt }]) => id !== callId && dueAt > now)
    if (!othersInTime) void this.#ping(this.#budget.hangMs)
  }

  async #ping(patienceMs: number): Promise<void> {
    const runtime = this.#runtime
    try {
      await runtime?.peer.call('ping', [], { deadlineMs: patienceMs })
      this.#lastSignOfLife = performance.now()
    } catch {
      if (runtime && runtime === this.#runtime) runtime.kill(hangError(patienceMs))
    }
  }

  #scheduleLook(ms: number): void {
    clearTimeout(this.#lookTimer)
    if (!this.#runtime) return
    this.#lookTimer = setTimeout(() => void this.#look(), ms).unref()
  }

  async #look(): Promise<void> {
    const runtime = this.#runtime
    if (!runtime) return
    const { events } = this.#options
    const usage = await runtime.usage().catch(() => undefined)
    if (runtime !== this.#runtime) return
    const busy = this.#calls.size > 0
    const now = performance.now()
    if (usage) {
      this.usage = usage
      const finding = this.#watch.look(usage, now, busy)
      if (finding?.level === 'warning') events.onWarning(this, finding)
      if (finding?.level === 'breach') return runtime.kill(new AppError('bug', finding.code, finding.message))
    }
    const patienceMs = this.#budget.hangMs * idlePatience
    if (!busy && now - this.#lastSignOfLife > patienceMs) void this.#ping(patienceMs)
    this.#scheduleLook(busy ? busyLookMs : Math.min(idleLookMs[runtime.kind], patienceMs))
  }
}

function toProgress(sent: unknown): Progress {
  const { done, total, message } = (sent ?? {}) as Record<string, unknown>
  return {
    done: typeof done === 'number' ? done : 0,
    ...(typeof total === 'number' ? { total } : {}),
    ...(typeof message === 'string' ? { message: shortText(message, 200) } : {}),
  }
}

function hangError(silentMs: number): AppError {
  return new AppError('bug', 'E_PLUGIN_HANGS', `It gave no sign of life for ${silentMs} ms`)
}

function busyError(pluginId: string): AppError {
  return new AppError(
    'bug',
    'E_BUDGET_EFFECTS',
    `Plugin "${pluginId}" asks for more at once than fits in the queue`,
    {
      status: 429,
      hint: 'Wait for some answers before asking on.',
    },
  )
}

function noCodeError(pluginId: string): AppError {
  return new AppError('bug', 'E_NOT_IMPLEMENTED', `Plugin "${pluginId}" has no code that runs`)
}

function throttledWarning({ messagesPerSecond, messageMb }: Budget): Pick<BudgetFinding, 'code' | 'message'> {
  return {
    code: 'E_BUDGET_MESSAGES',
    message: `It sends more than ${messagesPerSecond} messages or ${messageMb} MiB a second and is read no faster`,
  }
}
