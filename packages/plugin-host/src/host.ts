import { apiVersion as ownApiVersion, notFound, userError } from '@huitou/plugin-api'
import type { Contributions, Huitou, RunContext, Texts } from '@huitou/plugin-api'
import { Activator } from './activator.ts'
import type { Effects } from './effects.ts'
import { checkEngine, readManifest } from './manifest.ts'
import { PluginRecord } from './plugin-record.ts'
import type { PluginContributions, PluginInfo, PluginLocation, PluginState } from './plugin-record.ts'
import type { Settings } from './settings.ts'
import { toWireError } from './wire-error.ts'
import type { WireError } from './wire-error.ts'

export type Point = Exclude<keyof Contributions, 'configuration'>

export type HostEvent =
  | { type: 'state'; pluginId: string; state: PluginState; error?: WireError }
  | { type: 'crash'; pluginId: string; error: WireError; quarantined: boolean }
  /** Its settings changed, so that what it computed before may no longer hold. */
  | { type: 'settings'; pluginId: string }
  | { type: 'rejected'; dir: string; error: WireError }

/** Contributions that came or went. */
export interface ContributionsChange {
  added: PluginContributions[]
  removed: PluginContributions[]
}

/** Enabling and disabling wait for what this returns; enabling is taken back when it throws. */
export type ContributionsListener = (change: ContributionsChange) => void | Promise<void>

export interface PluginHostOptions {
  plugins: PluginLocation[]
  /** What plugins can ask for, carried out by the server. */
  effects: Effects
  brand: Huitou['brand']
  /** Version of the plugin API offered; that of the installed plugin-api when absent. */
  apiVersion?: string
  clock?: { now(): number }
  onEvent?(event: HostEvent): void
  /** Heap limit of the shared thread in MiB; 1024 when absent. */
  memoryMb?: number
  /** Milliseconds that a thread may stay silent after a missed deadline; 2000 when absent. */
  hangMs?: number
}

export interface HostCallOptions {
  signal?: AbortSignal | undefined
  /** Milliseconds; 60,000 when absent. */
  deadlineMs?: number | undefined
  /** Language of whoever reads the answer. */
  locale?: string | undefined
}

const defaultDeadlineMs = 60_000

/** Reads the manifests of `plugins` and hands out the host that runs them. No plugin code runs yet. */
export async function createPluginHost(options: PluginHostOptions): Promise<PluginHost> {
  const records = new Map<string, PluginRecord>()
  const rejected: { dir: string; error: WireError }[] = []
  for (const location of options.plugins) {
    try {
      const loaded = await readManifest(location.dir)
      const taken = records.get(loaded.id)
      if (taken) throw userError('E_DUPLICATE_PLUGIN', `Plugin "${loaded.id}" is also in ${taken.loaded.dir}`)
      records.set(loaded.id, new PluginRecord(loaded, location))
    } catch (error) {
      rejected.push({ dir: location.dir, error: toWireError(error) })
      options.onEvent?.({ type: 'rejected', ...rejected.at(-1)! })
    }
  }
  const host = new PluginHost(options, records, rejected)
  const wished = options.plugins.filter(({ enabled }) => enabled).map(({ dir }) => dir)
  const wishedIds = [...records.values()]
    .filter(({ loaded }) => wished.includes(loaded.dir))
    .map(({ id }) => id)
  await host.enableAll(wishedIds)
  return host
}

/** Lists, enables, disables and calls plugins; nothing a plugin does reaches beyond it. */
export class PluginHost implements AsyncDisposable {
  /** Folders that hold no valid plugin, and why. */
  readonly rejected: readonly { dir: string; error: WireError }[]
  readonly #options: PluginHostOptions
  readonly #records: ReadonlyMap<string, PluginRecord>
  readonly #activator: Activator
  readonly #clock: { now(): number }
  readonly #listeners = new Set<ContributionsListener>()
  /** Changes of what is enabled happen one after another. */
  #lastChange: Promise<unknown> = Promise.resolve()

  constructor(
    options: PluginHostOptions,
    records: ReadonlyMap<string, PluginRecord>,
    rejected: PluginHost['rejected'],
  ) {
    this.rejected = rejected
    this.#options = options
    this.#records = records
    this.#clock = options.clock ?? { now: () => Date.now() }
    this.#activator = new Activator({
      records,
      effects: options.effects,
      clock: this.#clock,
      brand: options.brand,
      memoryMb: options.memoryMb ?? 1024,
      hangMs: options.hangMs ?? 2_000,
      onState: (record) => this.#announce(record),
      onCrash: (record) => this.#announceCrash(record),
    })
  }

  list(): PluginInfo[] {
    return [...this.#records.values()].map((record) => record.info())
  }

  getPlugin(pluginId: string): PluginInfo {
    return this.#get(pluginId).info()
  }

  /** Readme and changelog of a plugin, as Markdown. */
  async getDocuments(
    pluginId: string,
  ): Promise<{ readme: Texts | undefined; changelog: string | undefined }> {
    return await this.#get(pluginId).documents()
  }

  /** What the enabled plugins declare, whether their code runs or not. */
  contributions(): PluginContributions[] {
    return [...this.#records.values()]
      .filter(({ enabled }) => enabled)
      .map(({ contributions }) => contributions)
  }

  /** Declared contributions that come and go from now on. Returns what ends it. */
  onDidChangeContributions(listener: ContributionsListener): { dispose(): void } {
    this.#listeners.add(listener)
    return { dispose: () => void this.#listeners.delete(listener) }
  }

  /** Makes a plugin's contributions available; its code starts when one of them is called. Lifts a quarantine. */
  async enable(pluginId: string): Promise<PluginInfo> {
    const record = this.#get(pluginId)
    return await this.#change(() => this.#enable(record))
  }

  /** Takes a plugin's contributions away and ends its code. Refused while an enabled plugin depends on it. */
  async disable(pluginId: string): Promise<PluginInfo> {
    const record = this.#get(pluginId)
    return await this.#change(async () => {
      if (record.state === 'disabled') return record.info()
      const dependents = [...this.#records.values()].filter(
        ({ enabled, dependencies }) => enabled && dependencies.includes(pluginId),
      )
      if (dependents.length > 0) {
        throw userError(
          'E_DEPENDENTS',
          `Plugin "${pluginId}" is needed by ${dependents.map(({ id }) => `"${id}"`).join(', ')}`,
          {
            status: 409,
            hint: 'Disable those first.',
          },
        )
      }
      await this.#activator.deactivate(record)
      const removed = record.enabled
      record.enabled = false
      this.#setState(record, 'disabled')
      if (removed) await this.#notify({ added: [], removed: [record.contributions] })
      return record.info()
    })
  }

  /** Replaces a plugin's settings; throws `E_SETTINGS` and changes nothing when they do not fit its schema. */
  async setSettings(pluginId: string, settings: Settings): Promise<PluginInfo> {
    const record = this.#get(pluginId)
    return await this.#change(async () => {
      record.settings = record.loaded.resolveSettings(settings)
      this.#activator.settingsChanged(record)
      this.#options.onEvent?.({ type: 'settings', pluginId })
      // What kept it from starting may have been a setting.
      if (record.state === 'failed') await this.#enable(record)
      return record.info()
    })
  }

  /** Tells every plugin the brand's new currency, time zone or language. */
  setBrand(brand: Huitou['brand']): void {
    this.#activator.brandChanged(brand)
  }

  /**
   * Calls `method` of what `pluginId` registered for a declared contribution, starting the plugin if need be.
   * Typed arrays in `args` move to the plugin and are empty here afterwards. A `RunContext` at the end of `args`
   * gives the time and the signal; the plugin gets one in any case.
   */
  // eslint-disable-next-line max-params -- it reads as one path: plugin, point, id, method
  async call(
    pluginId: string,
    point: Point,
    id: string,
    method: string,
    args: unknown[],
    options: HostCallOptions = {},
  ): Promise<unknown> {
    const record = this.#get(pluginId)
    if (!record.declared()[point]?.includes(id)) throw notFound(`${point} of plugin "${pluginId}"`, id)
    const last = args.at(-1)
    const context = isRunContext(last) ? last : undefined
    const { signal = context?.signal, deadlineMs = defaultDeadlineMs, locale = context?.locale } = options
    const request = { pluginId, point, id, method, now: context?.now ?? this.#clock.now(), locale }
    return await this.#activator.call(record, request, context ? args.slice(0, -1) : args, {
      signal,
      deadlineMs,
    })
  }

  /** Enables those of `pluginIds` that can be; the others are listed as failed, with the reason. */
  async enableAll(pluginIds: string[]): Promise<void> {
    const waiting = new Set(pluginIds)
    for (let progress = true; progress && waiting.size > 0;) {
      progress = false
      for (const id of waiting) {
        if (this.#get(id).dependencies.some((dependency) => waiting.has(dependency))) continue
        waiting.delete(id)
        progress = true
        await this.#enableOrFail(id)
      }
    }
    // What is left depends on itself in a circle.
    for (const id of waiting) await this.#enableOrFail(id)
  }

  /** Ends all plugins, each with the time to tidy up. */
  async close(): Promise<void> {
    await this.#change(async () => {
      await Promise.all([...this.#records.values()].map((record) => this.#activator.deactivate(record)))
      await this.#activator.stop()
      for (const record of this.#records.values()) if (record.state === 'active') record.state = 'enabled'
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #enable(record: PluginRecord): Promise<PluginInfo> {
    if (['enabled', 'activating', 'active'].includes(record.state)) return record.info()
    this.#mayEnable(record)
    const added = !record.enabled
    record.enabled = true
    record.crashPolicy.reset()
    record.retryAt = 0
    this.#setState(record, 'enabled')
    if (added) await this.#notifyOrTakeBack(record)
    return record.info()
  }

  async #enableOrFail(id: string): Promise<void> {
    await this.enable(id).catch((error: unknown) => this.#setState(this.#get(id), 'failed', error))
  }

  #mayEnable(record: PluginRecord): void {
    const { id, loaded, trusted } = record
    checkEngine(loaded, this.#options.apiVersion ?? ownApiVersion)
    record.settings = loaded.resolveSettings(record.settings)
    if (!trusted && loaded.entry !== undefined) {
      throw userError('E_NOT_TRUSTED', `Plugin "${id}" brings code and is not trusted`, {
        hint: 'This version runs the code of trusted plugins only.',
      })
    }
    for (const dependency of record.dependencies) {
      const other = this.#records.get(dependency)
      if (other?.enabled) continue
      throw userError(
        'E_DEPENDENCY',
        `Plugin "${id}" needs "${dependency}", which is ${other?.state ?? 'not installed'}`,
        {
          status: 409,
          hint: other ? `Enable "${dependency}" first.` : `Install "${dependency}" first.`,
        },
      )
    }
    const twin = [...this.#records.values()].find(
      (other) => other !== record && other.enabled && other.loaded.columnPrefix === loaded.columnPrefix,
    )
    if (!twin) return
    throw userError(
      'E_DUPLICATE_CONTRIBUTION',
      `Plugins "${id}" and "${twin.id}" both own the columns ${loaded.columnPrefix}_*`,
      {
        status: 409,
        hint: `Disable "${twin.id}" first.`,
      },
    )
  }

  async #notifyOrTakeBack(record: PluginRecord): Promise<void> {
    try {
      await this.#notify({ added: [record.contributions], removed: [] })
    } catch (error) {
      record.enabled = false
      this.#setState(record, 'disabled', error)
      await this.#notify({ added: [], removed: [record.contributions] }).catch(() => {})
      throw error
    }
  }

  async #notify(change: ContributionsChange): Promise<void> {
    for (const listener of this.#listeners) await listener(change)
  }

  #change<T>(work: () => Promise<T>): Promise<T> {
    const change = this.#lastChange.then(work)
    this.#lastChange = change.catch(() => {})
    return change
  }

  #get(pluginId: string): PluginRecord {
    const record = this.#records.get(pluginId)
    if (!record) throw notFound('Plugin', pluginId)
    return record
  }

  #setState(record: PluginRecord, state: PluginState, error?: unknown): void {
    record.state = state
    record.error = error === undefined ? undefined : toWireError(error)
    this.#announce(record)
  }

  #announce({ id, state, error }: PluginRecord): void {
    this.#options.onEvent?.({ type: 'state', pluginId: id, state, ...(error ? { error } : {}) })
  }

  #announceCrash({ id, state, error }: PluginRecord): void {
    const quarantined = state === 'quarantined'
    this.#options.onEvent?.({
      type: 'crash',
      pluginId: id,
      error: error ?? toWireError('crashed'),
      quarantined,
    })
  }
}

function isRunContext(value: unknown): value is RunContext {
  return (
    typeof value === 'object' && value !== null && 'signal' in value && value.signal instanceof AbortSignal
  )
}
