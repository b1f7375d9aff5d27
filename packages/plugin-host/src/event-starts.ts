import { isStartedBy, Schedules, schedulesOf, startupFinished } from './activation-events.ts'
import type { Activator } from './activator.ts'
import type { PluginRecord } from './plugin-record.ts'

export interface EventStartsOptions {
  records: ReadonlyMap<string, PluginRecord>
  activator: Activator
  clock: { now(): number }
  timeZone: string
}

/** Starts plugins without a call: because the server is up, an event has come, or it is time. */
export class EventStarts {
  readonly #options: EventStartsOptions
  readonly #schedules: Schedules
  /** Whether the server is up: plugins that wait for that start at once from then on. */
  #startupFinished = false

  constructor(options: EventStartsOptions) {
    this.#options = options
    this.#schedules = new Schedules(options.timeZone, {
      onDue: (pluginId, event) => {
        const record = options.records.get(pluginId)
        if (record) void this.#fireOne(record, event)
      },
    })
  }

  /** Starts the enabled plugins that asked for `event`, tells those that run of it, and answers their ids. */
  async fire(event: string): Promise<string[]> {
    if (event === startupFinished) this.#startupFinished = true
    const asked = [...this.#options.records.values()].filter(
      ({ enabled, version }) => enabled && isStartedBy(version, event),
    )
    await Promise.all(asked.map((record) => this.#fireOne(record, event)))
    return asked.map(({ id }) => id)
  }

  /** A plugin was enabled: its clocks run, and what waited for the start of the server starts now. */
  enabled(record: PluginRecord): void {
    this.schedule(record)
    if (this.#startupFinished && isStartedBy(record.version, startupFinished))
      void this.#fireOne(record, startupFinished)
  }

  /** Sets a plugin's clocks by what it asks for now. Only those may be started by the clock whom the owner let. */
  schedule({ id, enabled, version }: PluginRecord): void {
    const may = enabled && (version.location.trusted || version.grants.schedule === true)
    this.#schedules.set(id, may ? schedulesOf(version) : [])
  }

  /** The clocks of all plugins go by another zone. */
  setTimeZone(timeZone: string): void {
    this.#schedules.setTimeZone(timeZone)
    for (const record of this.#options.records.values()) if (record.enabled) this.schedule(record)
  }

  clear(pluginId: string): void {
    this.#schedules.clear(pluginId)
  }

  clearAll(): void {
    this.#schedules.clearAll()
  }

  async #fireOne(record: PluginRecord, event: string): Promise<void> {
    const { activator, clock } = this.#options
    try {
      await activator.activate(record, event)
      record.instance?.notify('event', [event, clock.now()])
    } catch {
      // Its state says what is wrong.
    }
  }
}
