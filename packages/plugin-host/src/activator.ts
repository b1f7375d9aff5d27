import { AppError } from '@huitou/plugin-api'
import type { Huitou } from '@huitou/plugin-api'
import type { Budget } from './budget.ts'
import type { Effects } from './effects.ts'
import { checkLinks } from './folder-links.ts'
import { PluginInstance } from './plugin-instance.ts'
import type { InstanceCallOptions, InstanceEvents } from './plugin-instance.ts'
import type { PluginLogEntry } from './plugin-log.ts'
import type { CallRequest } from './plugin-runner.ts'
import type { PluginRecord, PluginState, PluginVersion } from './plugin-record.ts'
import { startProcess } from './process-runtime.ts'
import type { FindRunnerCommand } from './runner-command.ts'
import type { RuntimeOptions } from './runtime.ts'
import { startWorker } from './worker-runtime.ts'
import { toWireError } from './wire-error.ts'

export interface ActivatorOptions {
  records: ReadonlyMap<string, PluginRecord>
  effects: Effects
  clock: { now(): number }
  brand: Huitou['brand']
  budgetOf(version: PluginVersion): Budget
  findCommand?: FindRunnerCommand | undefined
  workerEntry?: URL | undefined
  onState(record: PluginRecord): void
  onCrash(record: PluginRecord): void
  onWarning(record: PluginRecord, error: AppError): void
}

interface Replaced {
  instance: PluginInstance
  old: PluginInstance | undefined
  reason: string
  startedAt: number
}

/** How long calls under way may go on in a version that another one has replaced. */
const graceMs = 60_000

/** Starts plugins when they are needed, calls them, and deals with those that throw, hang or die. */
export class Activator {
  readonly #options: ActivatorOptions
  /** Versions that were replaced and still finish their calls. */
  readonly #retiring = new Set<Promise<void>>()
  readonly #closing = new AbortController()
  #brand: Huitou['brand']

  constructor(options: ActivatorOptions) {
    this.#options = options
    this.#brand = options.brand
  }

  /** Calls an implementation, activating its plugin first if need be. */
  async call(
    record: PluginRecord,
    request: CallRequest,
    args: unknown[],
    options: InstanceCallOptions,
  ): Promise<unknown> {
    await this.activate(record, activationEvent(request))
    const { instance, statistics } = record
    if (!instance) throw notRunning(record)
    const startedAt = performance.now()
    try {
      const answer = await instance.call(request, args, options)
      statistics.record(performance.now() - startedAt)
      return answer
    } catch (error) {
      statistics.record(performance.now() - startedAt, toWireError(error))
      throw error
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

  /**
   * Starts `version` of a plugin beside the one that runs and leaves the record alone: to be put in its place if it
   * does well, else to be ended.
   */
  async prepare(record: PluginRecord, version: PluginVersion, reason: string): Promise<PluginInstance> {
    for (const id of version.dependencies) await this.#startDependency(record, id)
    const instance = this.#create(record, version)
    try {
      await this.#activateInstance(instance, version, reason)
      return instance
    } catch (error) {
      await instance.end()
      throw error
    }
  }

  /** `instance` was put in the place of `old`, which finishes what it has begun. */
  replaced(record: PluginRecord, { instance, old, reason, startedAt }: Replaced): void {
    if (record.instance === instance) this.#nowActive(record, reason, startedAt)
    if (old) this.#retire(record, old)
  }

  /** Leaves a line in the plugin's log: which version did not start, or did not pass its probe, and why. */
  notStarted(record: PluginRecord, { loaded }: PluginVersion, error: unknown): void {
    const { message, code } = toWireError(error)
    this.#log(record, {
      level: 'error',
      source: 'host',
      message: `Version ${loaded.manifest.version} did not start: ${message}`,
      facts: { code },
    })
  }

  /** Stops one plugin. Its calls under way fail; nobody else's do. */
  async deactivate(record: PluginRecord): Promise<void> {
    const stopped = new AppError('user', 'E_PLUGIN_NOT_RUNNING', `Plugin "${record.id}" was stopped`, {
      status: 409,
    })
    if (record.activation) {
      record.instance?.abort(stopped)
      await record.activation.catch(() => {})
    }
    const { instance } = record
    if (!instance) return
    const problem = await instance.stop(stopped)
    record.instance = undefined
    if (problem === undefined) return
    record.statistics.lastError = toWireError(problem)
    this.#log(record, { level: 'warn', source: 'host', message: `deactivate: ${(problem as Error).message}` })
  }

  settingsChanged(record: PluginRecord): void {
    record.instance?.notify('settings', [record.settings])
  }

  brandChanged(brand: Huitou['brand']): void {
    this.#brand = brand
    for (const { instance } of this.#options.records.values()) instance?.notify('brand', [brand])
  }

  /** Ends versions that still finish their calls. */
  async stop(): Promise<void> {
    this.#closing.abort()
    await Promise.all(this.#retiring)
  }

  /** Crashed plugins wait; those that are off or failed stay so. */
  #mayStart(record: PluginRecord): void {
    if (record.state !== 'enabled') throw notRunning(record)
    const waitMs = record.retryAt - this.#options.clock.now()
    if (waitMs <= 0) return
    throw new AppError(
      'world',
      'E_PLUGIN_PAUSED',
      `Plugin "${record.id}" crashed and starts again in ${Math.ceil(waitMs / 1000)} s`,
      { status: 503, details: { pluginId: record.id, retryAt: record.retryAt } },
    )
  }

  async #start(record: PluginRecord, reason: string): Promise<void> {
    const startedAt = performance.now()
    this.#setState(record, 'activating')
    try {
      for (const id of record.version.dependencies) await this.#startDependency(record, id)
      if (record.statistics.crashes > record.statistics.restarts) record.statistics.restarts++
      record.instance = this.#create(record, record.version)
      await this.#activateInstance(record.instance, record.version, reason)
      this.#nowActive(record, reason, startedAt)
    } catch (error) {
      record.statistics.lastError = toWireError(error)
      // A crash has already been judged; anything else that stops an activation is a failure to start.
      if (record.state === 'activating') {
        this.notStarted(record, record.version, error)
        this.#setState(record, 'failed', error)
      }
      const { instance } = record
      record.instance = undefined
      await instance?.end()
      throw error
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

  #create(record: PluginRecord, version: PluginVersion): PluginInstance {
    const kind = version.kind
    const { effects, clock, findCommand, workerEntry } = this.#options
    const budget = this.#options.budgetOf(version)
    const events: InstanceEvents = {
      onExit: (instance, error) => this.#ended(record, instance, error),
      onWarning: (_instance, { code, message }) => this.#warn(record, new AppError('bug', code, message)),
      onLog: (entry) => this.#log(record, entry),
    }
    const { loaded, grants } = version
    const start =
      kind === 'none'
        ? undefined
        : kind === 'worker'
          ? async (options: RuntimeOptions) => startWorker({ ...options, entry: workerEntry })
          : async (options: RuntimeOptions) =>
              startProcess({
                ...options,
                dirs: [loaded.dir, await checkLinks(loaded.id, loaded.dir)],
                findCommand,
              })
    return new PluginInstance({ loaded, grants, budget, effects, events, clock, start })
  }

  async #activateInstance(instance: PluginInstance, version: PluginVersion, reason: string): Promise<void> {
    await instance.activate({
      declared: version.declared(),
      settings: version.settings,
      brand: this.#brand,
      reason,
    })
  }

  #nowActive(record: PluginRecord, reason: string, startedAt: number): void {
    const activationMs = performance.now() - startedAt
    Object.assign(record.statistics, { activatedAt: this.#options.clock.now(), activationMs, reason })
    this.#log(record, {
      level: 'info',
      source: 'host',
      message: `Version ${record.loaded.manifest.version} active after ${Math.round(activationMs)} ms (${reason})`,
    })
    this.#setState(record, 'active')
  }

  #retire(record: PluginRecord, instance: PluginInstance): void {
    const replaced = new AppError(
      'world',
      'E_PLUGIN_REPLACED',
      `Plugin "${record.id}" was replaced by another version`,
      {
        status: 503,
        hint: 'Try once more: the new version runs.',
      },
    )
    const closing = new Promise<void>((resolve) => {
      if (this.#closing.signal.aborted) resolve()
      this.#closing.signal.addEventListener('abort', () => resolve(), { once: true })
    })
    const retired = Promise.race([instance.whenIdle(graceMs), closing])
      .then(async () => void (await instance.stop(replaced)))
      .finally(() => this.#retiring.delete(retired))
    this.#retiring.add(retired)
  }

  #ended(record: PluginRecord, instance: PluginInstance, error: AppError): void {
    this.#log(record, { level: 'error', source: 'host', message: error.message })
    if (record.instance !== instance) return
    record.instance = undefined
    record.statistics.crashes++
    record.statistics.lastError = toWireError(error)
    const verdict = record.crashPolicy.crashed(this.#options.clock.now())
    if (!verdict.quarantine) record.retryAt = verdict.retryAt
    this.#setState(record, verdict.quarantine ? 'quarantined' : 'enabled', error)
    this.#options.onCrash(record)
    if (verdict.quarantine) this.#tellDependents(record, error)
  }

  /** What needs a plugin that is out of order is told, before it finds out by itself. */
  #tellDependents(record: PluginRecord, cause: AppError): void {
    for (const dependent of this.#options.records.values()) {
      if (!dependent.enabled || !dependent.version.dependencies.includes(record.id)) continue
      const message = `"${record.id}", which it needs, is ${record.state}: ${cause.message}`
      this.#warn(dependent, new AppError('world', 'E_DEPENDENCY', message, { cause }))
    }
  }

  #warn(record: PluginRecord, error: AppError): void {
    this.#log(record, { level: 'warn', source: 'host', message: error.message, facts: { code: error.code } })
    this.#options.onWarning(record, error)
  }

  #log(record: PluginRecord, entry: Omit<PluginLogEntry, 'at'>): void {
    record.log.add({ at: this.#options.clock.now(), ...entry })
  }

  #setState(record: PluginRecord, state: PluginState, error?: unknown): void {
    record.state = state
    record.error = error === undefined ? undefined : toWireError(error)
    this.#options.onState(record)
  }
}

/** `onScorer:rfm`: what a call of an implementation counts as. */
function activationEvent({ point, id }: CallRequest): string {
  return `on${point.slice(0, 1).toUpperCase()}${point.slice(1).replace(/s$/, '')}:${id}`
}

function notRunning({ id, state, error }: PluginRecord): AppError {
  const why = error ? `: ${error.message}` : ''
  return new AppError('user', 'E_PLUGIN_NOT_RUNNING', `Plugin "${id}" is ${state}${why}`, {
    status: 409,
    hint: `Open Extensions → ${id} and enable it.`,
  })
}
