import { AppError } from '@huitou/plugin-api'
import type { Huitou } from '@huitou/plugin-api'
import { authorise } from './broker.ts'
import type { Effects } from './effects.ts'
import type { CallOptions } from './peer.ts'
import type { ActivationRequest, CallRequest } from './plugin-runner.ts'
import type { PluginRecord, PluginState } from './plugin-record.ts'
import { startWorker } from './runtime.ts'
import type { Runtime, RuntimeExit } from './runtime.ts'
import { toWireError } from './wire-error.ts'

const activationDeadlineMs = 15_000
const deactivationDeadlineMs = 5_000

export interface ActivatorOptions {
  records: ReadonlyMap<string, PluginRecord>
  effects: Effects
  clock: { now(): number }
  brand: Huitou['brand']
  memoryMb: number
  /** How long a thread may fail to answer after a deadline passed before it counts as hung. */
  hangMs: number
  onState(record: PluginRecord): void
  onCrash(record: PluginRecord): void
}

/** Starts plugins when they are needed, calls them, and deals with those that throw, hang or die. */
export class Activator {
  readonly #options: ActivatorOptions
  #brand: Huitou['brand']
  #worker: Runtime | undefined

  constructor(options: ActivatorOptions) {
    this.#options = options
    this.#brand = options.brand
  }

  /** Calls an implementation, activating its plugin first if need be. */
  async call(
    record: PluginRecord,
    request: CallRequest,
    args: unknown[],
    options: CallOptions,
  ): Promise<unknown> {
    await this.activate(record, `on${capitalise(request.point).replace(/s$/, '')}:${request.id}`)
    const startedAt = performance.now()
    const { signal: lifetime } = record.lifetime
    const signal = options.signal ? AbortSignal.any([options.signal, lifetime]) : lifetime
    record.inFlight++
    try {
      const answer = await this.#peer().call('call', [request, args], { ...options, signal })
      record.statistics.record(performance.now() - startedAt)
      return answer
    } catch (error) {
      record.statistics.record(performance.now() - startedAt, toWireError(error))
      this.#watchForHang(record, error)
      throw error
    } finally {
      record.inFlight--
    }
  }

  /** Resolves once the plugin and all it depends on are active; `reason` is remembered of the first to ask. */
  async activate(record: PluginRecord, reason: string): Promise<void> {
    if (record.state === 'active') return
    if (record.activation) return record.activation
    this.#mayStart(record)
    record.activation = this.#start(record, reason).finally(() => (record.activation = undefined))
    return record.activation
  }

  /** Stops one plugin; others in the same thread go on. */
  async deactivate(record: PluginRecord): Promise<void> {
    await record.activation?.catch(() => {})
    if (record.state !== 'active') return
    record.lifetime.abort(
      new AppError('user', 'E_PLUGIN_NOT_RUNNING', `Plugin "${record.id}" was stopped`, { status: 409 }),
    )
    record.inFlight++
    try {
      await this.#peer().call('deactivate', [record.id], { deadlineMs: deactivationDeadlineMs })
    } catch (error) {
      record.statistics.lastError = toWireError(error)
      this.#watchForHang(record, error)
    } finally {
      record.inFlight--
    }
  }

  settingsChanged(record: PluginRecord): void {
    if (record.state === 'active' || record.state === 'activating') {
      this.#peer().notify('settings', [record.id, record.settings])
    }
  }

  brandChanged(brand: Huitou['brand']): void {
    this.#brand = brand
    this.#worker?.peer.notify('brand', [brand])
  }

  async stop(): Promise<void> {
    await this.#worker?.stop()
    this.#worker = undefined
  }

  #mayStart(record: PluginRecord): void {
    if (record.state === 'enabled') {
      const waitMs = record.retryAt - this.#options.clock.now()
      if (waitMs <= 0) return
      throw new AppError(
        'world',
        'E_PLUGIN_PAUSED',
        `Plugin "${record.id}" crashed and starts again in ${Math.ceil(waitMs / 1000)} s`,
        {
          status: 503,
          details: { pluginId: record.id, retryAt: record.retryAt },
        },
      )
    }
    throw new AppError(
      'user',
      'E_PLUGIN_NOT_RUNNING',
      `Plugin "${record.id}" is ${record.state}${record.error ? `: ${record.error.message}` : ''}`,
      {
        status: 409,
        hint: `Open Extensions → ${record.id} and enable it.`,
      },
    )
  }

  async #start(record: PluginRecord, reason: string): Promise<void> {
    const startedAt = performance.now()
    this.#setState(record, 'activating')
    record.lifetime = new AbortController()
    record.inFlight++
    try {
      for (const id of record.dependencies) await this.#startDependency(record, id)
      const request = this.#activationRequest(record, reason)
      if (request) await this.#peer().call('activate', [request], { deadlineMs: activationDeadlineMs })
      record.statistics.activatedAt = this.#options.clock.now()
      record.statistics.activationMs = performance.now() - startedAt
      record.statistics.reason = reason
      this.#setState(record, 'active')
    } catch (error) {
      const { state } = record
      record.statistics.lastError = toWireError(error)
      // A crash has already been judged; anything else that stops an activation is a failure to start.
      if (state === 'activating') this.#setState(record, 'failed', error)
      this.#watchForHang(record, error)
      throw error
    } finally {
      record.inFlight--
    }
  }

  async #startDependency(record: PluginRecord, id: string): Promise<void> {
    const dependency = this.#options.records.get(id)
    try {
      if (!dependency) throw new AppError('user', 'E_DEPENDENCY', `Plugin "${id}" is not installed`)
      await this.activate(dependency, `onDependency:${record.id}`)
    } catch (cause) {
      const message = `Plugin "${record.id}" needs "${id}", which does not run: ${(cause as Error).message}`
      throw new AppError('user', 'E_DEPENDENCY', message, {
        status: 409,
        hint: `Mend or enable "${id}" first.`,
        cause,
      })
    }
  }

  #activationRequest(record: PluginRecord, reason: string): ActivationRequest | undefined {
    const { entry } = record.loaded
    if (entry === undefined) return undefined
    const attempt = record.attempts++
    return {
      pluginId: record.id,
      entry: attempt === 0 ? entry : `${entry}?attempt=${attempt}`,
      declared: record.declared(),
      settings: record.settings,
      brand: this.#brand,
      reason,
      now: this.#options.clock.now(),
    }
  }

  #peer(): Runtime['peer'] {
    this.#worker ??= startWorker({
      serve: (method, args, signal) => this.#serve(method, args, signal),
      onExit: (exit) => this.#workerEnded(exit),
      memoryMb: this.#options.memoryMb,
    })
    return this.#worker.peer
  }

  async #serve(_method: string, [pluginId, method, args]: unknown[], signal: AbortSignal): Promise<unknown> {
    const record = this.#options.records.get(pluginId as string)
    if (!record || !['activating', 'active'].includes(record.state)) {
      throw new AppError('bug', 'E_PLUGIN_NOT_RUNNING', `Plugin "${String(pluginId)}" is not running`)
    }
    const { id, loaded, grants } = record
    const called = method as string
    authorise({ id, columnPrefix: loaded.columnPrefix, permissions: grants }, called, args as unknown[])
    return this.#options.effects(id, called, args as unknown[], { pluginId: id, permissions: grants, signal })
  }

  #workerEnded({ error, culprit }: RuntimeExit): void {
    this.#worker = undefined
    const hit = [...this.#options.records.values()].filter(
      ({ state }) => state === 'active' || state === 'activating',
    )
    const guilty = new Set(
      hit.filter((record) => (culprit === undefined ? record.inFlight > 0 : record.id === culprit)),
    )
    for (const record of hit) {
      if (guilty.has(record)) this.#judge(record, error)
      else this.#setState(record, 'enabled')
    }
  }

  #judge(record: PluginRecord, error: AppError): void {
    record.statistics.crashes++
    record.statistics.lastError = toWireError(error)
    const verdict = record.crashPolicy.crashed(this.#options.clock.now())
    if (!verdict.quarantine) record.retryAt = verdict.retryAt
    this.#setState(record, verdict.quarantine ? 'quarantined' : 'enabled', error)
    this.#options.onCrash(record)
  }

  /** After a missed deadline the thread is asked for a sign of life; one that gives none is ended. */
  #watchForHang(record: PluginRecord, error: unknown): void {
    const worker = this.#worker
    if (!worker || !(error instanceof AppError) || error.code !== 'E_DEADLINE') return
    worker.peer
      .call('ping', [], { deadlineMs: this.#options.hangMs })
      .catch(() => worker.kill(new Error(`plugin "${record.id}" did not give the thread back`), record.id))
  }

  #setState(record: PluginRecord, state: PluginState, error?: unknown): void {
    record.state = state
    record.error = error === undefined ? undefined : toWireError(error)
    this.#options.onState(record)
  }
}

function capitalise(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
