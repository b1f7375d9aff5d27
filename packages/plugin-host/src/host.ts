import { apiVersion as ownApiVersion, notFound, userError } from '@huitou/plugin-api'
import type { AppError, Huitou, Permissions, RunContext, Texts } from '@huitou/plugin-api'
import { Activator } from './activator.ts'
import { defaultBudgets } from './budget.ts'
import type { Budget, Budgets } from './budget.ts'
import { checkIdentity, checkMayEnable, checkNoDependents } from './enabling.ts'
import { EventStarts } from './event-starts.ts'
import type {
  ContributionsChange,
  ContributionsListener,
  HostCallOptions,
  PluginHostOptions,
  Point,
} from './host-options.ts'
import { readManifest } from './manifest.ts'
import type { PluginLogEntry } from './plugin-log.ts'
import { PluginRecord, PluginVersion } from './plugin-record.ts'
import type { PluginContributions, PluginInfo, PluginLocation, PluginState } from './plugin-record.ts'
import { FolderWatches } from './reload-watch.ts'
import { replacePlugin } from './replace.ts'
import type { ReplaceOptions } from './replace.ts'
import type { Settings } from './settings.ts'
import { toWireError } from './wire-error.ts'
import type { WireError } from './wire-error.ts'

/** Reads the manifests of `plugins` and hands out the host that runs them. No plugin code runs yet. */
export async function createPluginHost(options: PluginHostOptions): Promise<PluginHost> {
  const host = new PluginHost(options)
  // Folders are read together: a hundred of them take little longer than one.
  const loading = options.plugins.map((location) =>
    readManifest(location.dir).catch((error: unknown) => error as AppError),
  )
  const wished: string[] = []
  for (const [index, loaded] of (await Promise.all(loading)).entries()) {
    const location = options.plugins[index]!
    if (loaded instanceof Error) host.reject(location.dir, loaded)
    else if (host.admit(new PluginVersion(loaded, location)) && location.enabled) wished.push(loaded.id)
  }
  await host.enableAll(wished)
  return host
}

/** Lists, enables, disables and calls plugins; nothing a plugin does reaches beyond it. */
export class PluginHost implements AsyncDisposable {
  readonly #rejected: { dir: string; error: WireError }[] = []
  readonly #options: PluginHostOptions
  readonly #records = new Map<string, PluginRecord>()
  readonly #activator: Activator
  readonly #starts: EventStarts
  readonly #clock: { now(): number }
  readonly #listeners = new Set<ContributionsListener>()
  readonly #watches = new FolderWatches()
  #budgets: Budgets
  /** Changes of what is enabled happen one after another. */
  #lastChange: Promise<unknown> = Promise.resolve()

  constructor(options: PluginHostOptions) {
    this.#options = options
    this.#budgets = options.budgets ?? {}
    this.#clock = options.clock ?? { now: () => Date.now() }
    this.#activator = new Activator({
      records: this.#records,
      effects: options.effects,
      clock: this.#clock,
      brand: options.brand,
      budgetOf: (version) => this.#budgetOf(version),
      findCommand: options.findRunnerCommand,
      workerEntry: options.workerEntry,
      onState: (record) => this.#announce(record),
      onCrash: (record) => this.#announceCrash(record),
      onWarning: ({ id }, error) =>
        options.onEvent?.({ type: 'warning', pluginId: id, error: toWireError(error) }),
    })
    this.#starts = new EventStarts({
      records: this.#records,
      activator: this.#activator,
      clock: this.#clock,
      timeZone: options.brand.timeZone,
    })
  }

  /** Folders that hold no valid plugin, and why. */
  get rejected(): readonly { dir: string; error: WireError }[] {
    return this.#rejected
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

  /** The last 200 lines that a plugin said, or that were said of it; oldest first. */
  log(pluginId: string): PluginLogEntry[] {
    return this.#get(pluginId).log.entries()
  }

  /** What a plugin's code spends its time on in the next `ms`, as a `.cpuprofile`. Starts it if need be. */
  async profile(pluginId: string, ms = 5_000): Promise<string> {
    const record = this.#get(pluginId)
    await this.#activator.activate(record, 'onProfile')
    const { instance } = record
    if (!instance)
      throw userError('E_PLUGIN_NOT_RUNNING', `Plugin "${pluginId}" is ${record.state}`, { status: 409 })
    return await instance.profile(ms)
  }

  /** What the enabled plugins declare, whether their code runs or not. */
  contributions(): PluginContributions[] {
    return [...this.#records.values()]
      .filter(({ enabled }) => enabled)
      .map(({ version }) => version.contributions)
  }

  /** Declared contributions that come and go from now on. Returns what ends it. */
  onDidChangeContributions(listener: ContributionsListener): { dispose(): void } {
    this.#listeners.add(listener)
    return { dispose: () => void this.#listeners.delete(listener) }
  }

  /** Takes in a plugin, and enables it when its location says so. */
  async add(location: PluginLocation): Promise<PluginInfo> {
    const version = new PluginVersion(await readManifest(location.dir), location)
    return await this.#change(async () => {
      checkIdentity(version)
      const { id } = version.loaded
      const taken = this.#records.get(id)
      if (taken) throw duplicate(id, taken)
      const record = new PluginRecord(version)
      this.#records.set(id, record)
      if (location.enabled) {
        try {
          await this.#enable(record)
        } catch (error) {
          this.#records.delete(id)
          throw error
        }
      }
      this.#watch(record)
      return record.info()
    })
  }

  /** Disables a plugin and forgets it; its folder stays. Refused while an enabled plugin depends on it. */
  async remove(pluginId: string): Promise<void> {
    const record = this.#get(pluginId)
    await this.#change(async () => {
      await this.#disable(record)
      this.#watches.clear(pluginId)
      this.#records.delete(pluginId)
    })
  }

  /**
   * Puts another version in a plugin's place while it runs. The new one is started beside the old one and must
   * activate and pass `probe`; else it is ended, the old one goes on and the reason is thrown. Calls under way finish
   * in the old one.
   */
  async replace(
    pluginId: string,
    location: PluginLocation,
    options: ReplaceOptions = {},
  ): Promise<PluginInfo> {
    const record = this.#get(pluginId)
    const loaded = await readManifest(location.dir)
    const settings = location.settings ?? record.settings
    const grants = location.grants ?? (location.trusted ? undefined : record.version.grants)
    const version = new PluginVersion(loaded, { ...location, settings, ...(grants ? { grants } : {}) })
    return await this.#change(async () => {
      checkIdentity(version)
      await replacePlugin({ record, version, options, activator: this.#activator, ...this.#replacing() })
      this.#starts.schedule(record)
      this.#watch(record)
      if (location.enabled && record.state === 'disabled') await this.#enable(record)
      return record.info()
    })
  }

  /** Reads a plugin's folder again and puts what is there in the plugin's place, like {@link replace}. */
  async reload(pluginId: string): Promise<PluginInfo> {
    const { location, settings, grants } = this.#get(pluginId).version
    // A version that is written down is that of before; the author may have changed it.
    return await this.replace(pluginId, {
      ...location,
      version: undefined,
      settings,
      grants: location.grants ?? (location.trusted ? undefined : grants),
    })
  }

  /** Makes a plugin's contributions available; its code starts when one of them is called. Lifts a quarantine. */
  async enable(pluginId: string): Promise<PluginInfo> {
    const record = this.#get(pluginId)
    return await this.#change(() => this.#enable(record))
  }

  /** Takes a plugin's contributions away and ends its code. Refused while an enabled plugin depends on it. */
  async disable(pluginId: string): Promise<PluginInfo> {
    const record = this.#get(pluginId)
    return await this.#change(() => this.#disable(record))
  }

  /** Replaces a plugin's settings; throws `E_SETTINGS` and changes nothing when they do not fit its schema. */
  async setSettings(pluginId: string, settings: Settings): Promise<PluginInfo> {
    const record = this.#get(pluginId)
    return await this.#change(async () => {
      record.version.settings = record.loaded.resolveSettings(settings)
      this.#activator.settingsChanged(record)
      this.#options.onEvent?.({ type: 'settings', pluginId })
      // What kept it from starting may have been a setting.
      if (record.state === 'failed') await this.#enable(record)
      return record.info()
    })
  }

  /** What the owner grants from now on; holds at once, for calls under way as well. */
  setGrants(pluginId: string, grants: Permissions): PluginInfo {
    const record = this.#get(pluginId)
    record.version.grants = grants
    if (record.instance) record.instance.grants = grants
    this.#starts.schedule(record)
    return record.info()
  }

  /** What the owner decided that plugins may use. */
  get budgets(): Budgets {
    return this.#budgets
  }

  /** What a plugin may use. */
  getBudget(pluginId: string): Budget {
    return this.#budgetOf(this.#get(pluginId).version)
  }

  /**
   * What plugins may use from now on. Holds at once for those that run and restarts none; the size of a heap counts
   * when its plugin starts next.
   */
  setBudgets(budgets: Budgets): void {
    this.#budgets = budgets
    for (const { instance, version } of this.#records.values())
      if (instance) instance.budget = this.#budgetOf(version)
  }

  /** Tells every plugin the brand's new currency, time zone or language. */
  setBrand(brand: Huitou['brand']): void {
    this.#activator.brandChanged(brand)
    this.#starts.setTimeZone(brand.timeZone)
  }

  /**
   * Starts the enabled plugins that asked for `event` (`onStartupFinished`, `onEvent:order.paid`), tells those that
   * run of it, and answers their ids. A plugin that does not start is shown as failed, as always.
   */
  async fire(event: string): Promise<string[]> {
    return await this.#starts.fire(event)
  }

  /** Tells a running plugin something that its `huitou` listens for; one that does not run is not started. */
  tell(pluginId: string, topic: string, payload: unknown): void {
    this.#get(pluginId).instance?.notify('topic', [topic, payload])
  }

  /**
   * Calls `method` of what `pluginId` registered for a declared contribution, starting the plugin if need be.
   * Typed arrays in `args` move to the plugin and are empty here afterwards. A `RunContext` at the end of `args`
   * gives the time, the signal and what else it holds; the plugin gets one in any case.
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
    if (!record.version.declared()[point]?.includes(id))
      throw notFound(`${point} of plugin "${pluginId}"`, id)
    const last = args.at(-1)
    const context = isRunContext(last) ? last : undefined
    const { signal = context?.signal, deadlineMs, locale = context?.locale, onProgress } = options
    const facts = context && factsOf(context)
    const request = { pluginId, point, id, method, now: context?.now ?? this.#clock.now(), locale, facts }
    return await this.#activator.call(record, request, context ? args.slice(0, -1) : args, {
      signal,
      deadlineMs,
      onProgress,
    })
  }

  /** Enables those of `pluginIds` that can be; the others are listed as failed, with the reason. */
  async enableAll(pluginIds: string[]): Promise<void> {
    const waiting = new Set(pluginIds)
    for (let progress = true; progress && waiting.size > 0;) {
      progress = false
      for (const id of waiting) {
        if (this.#get(id).version.dependencies.some((dependency) => waiting.has(dependency))) continue
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
    this.#starts.clearAll()
    this.#watches.clearAll()
    await this.#change(async () => {
      const records = [...this.#records.values()]
      await Promise.all([
        ...records.map((record) => this.#activator.deactivate(record)),
        this.#activator.stop(),
      ])
      for (const record of records) if (record.state === 'active') record.state = 'enabled'
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Lists a plugin whose manifest was read; whether its id was free and is what its location says. */
  admit(version: PluginVersion): boolean {
    const { id, dir } = version.loaded
    try {
      checkIdentity(version)
      const taken = this.#records.get(id)
      if (taken) throw duplicate(id, taken)
    } catch (error) {
      this.reject(dir, error)
      return false
    }
    const record = new PluginRecord(version)
    this.#records.set(id, record)
    this.#watch(record)
    return true
  }

  /** Remembers that `dir` holds no plugin that can be listed. */
  reject(dir: string, error: unknown): void {
    const entry = { dir, error: toWireError(error) }
    this.#rejected.push(entry)
    this.#options.onEvent?.({ type: 'rejected', ...entry })
  }

  async #enable(record: PluginRecord): Promise<PluginInfo> {
    if (['enabled', 'activating', 'active'].includes(record.state)) return record.info()
    checkMayEnable(record.version, this.#records, this.#apiVersion())
    const added = !record.enabled
    record.enabled = true
    record.crashPolicy.reset()
    record.retryAt = 0
    this.#setState(record, 'enabled')
    if (added) await this.#notifyOrTakeBack(record)
    this.#starts.enabled(record)
    return record.info()
  }

  async #enableOrFail(id: string): Promise<void> {
    await this.enable(id).catch((error: unknown) => this.#setState(this.#get(id), 'failed', error))
  }

  async #disable(record: PluginRecord): Promise<PluginInfo> {
    if (record.state === 'disabled') return record.info()
    checkNoDependents(record.id, this.#records)
    this.#starts.clear(record.id)
    await this.#activator.deactivate(record)
    const removed = record.enabled
    record.enabled = false
    this.#setState(record, 'disabled')
    if (removed) await this.#notify({ added: [], removed: [record.version.contributions] })
    return record.info()
  }

  #replacing() {
    return {
      records: this.#records,
      apiVersion: this.#apiVersion(),
      notify: (change: ContributionsChange) => this.#notify(change),
      now: () => this.#clock.now(),
    }
  }

  #watch(record: PluginRecord): void {
    const { dir, watch } = record.version.location
    this.#watches.clear(record.id)
    if (!watch) return
    const reload = () => {
      this.reload(record.id).catch((error: unknown) => {
        const wire = toWireError(error)
        record.log.add({
          at: this.#clock.now(),
          level: 'error',
          source: 'host',
          message: `Not reloaded: ${wire.message}`,
        })
        this.#options.onEvent?.({ type: 'warning', pluginId: record.id, error: wire })
      })
    }
    this.#watches.set(record.id, dir, reload)
  }

  async #notifyOrTakeBack(record: PluginRecord): Promise<void> {
    const { contributions } = record.version
    try {
      await this.#notify({ added: [contributions], removed: [] })
    } catch (error) {
      record.enabled = false
      this.#setState(record, 'disabled', error)
      await this.#notify({ added: [], removed: [contributions] }).catch(() => {})
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

  #budgetOf({ kind, loaded, location }: PluginVersion): Budget {
    const place = kind === 'process' ? 'process' : 'worker'
    const { [place]: ofKind, plugins } = this.#budgets
    return { ...defaultBudgets[place], ...ofKind, ...location.budget, ...plugins?.[loaded.id] }
  }

  #apiVersion(): string {
    return this.#options.apiVersion ?? ownApiVersion
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

function duplicate(id: string, taken: PluginRecord): AppError {
  return userError('E_DUPLICATE_PLUGIN', `Plugin "${id}" is also in ${taken.loaded.dir}`)
}

/** What a kind of contribution is told beside what every call is. */
function factsOf({ now: _, signal: __, locale: ___, ...facts }: RunContext): Record<string, unknown> {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => typeof value !== 'function'))
}

function isRunContext(value: unknown): value is RunContext {
  return (
    typeof value === 'object' && value !== null && 'signal' in value && value.signal instanceof AbortSignal
  )
}
