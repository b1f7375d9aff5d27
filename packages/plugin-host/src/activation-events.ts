import { Cron } from 'croner'
import { matchesAny } from './broker.ts'
import type { PluginRecord } from './plugin-record.ts'

/** The server answers requests. */
export const startupFinished = 'onStartupFinished'
const schedulePrefix = 'onSchedule:'
const eventPrefix = 'onEvent:'

/**
 * Whether a plugin asked to be started by `event`, for instance `onEvent:order.paid` through `onEvent:order.*`. That an
 * event has happened is told only to those who may read it.
 */
export function isStartedBy({ loaded, location, grants }: PluginRecord['version'], event: string): boolean {
  const events = loaded.manifest.activationEvents ?? []
  if (event === startupFinished && location.bundled && events.includes('*')) return true
  if (!event.startsWith(eventPrefix)) return events.includes(event)
  const mayRead = location.trusted || matchesAny(grants['events.read'] ?? [], event.slice(eventPrefix.length))
  const asked = events.filter((pattern) => pattern.startsWith(eventPrefix))
  return mayRead && matchesAny(asked, event)
}

/** Times at which a plugin wants to be started, as cron. */
export function schedulesOf({ loaded }: PluginRecord['version']): string[] {
  return (loaded.manifest.activationEvents ?? [])
    .filter((event) => event.startsWith(schedulePrefix))
    .map((event) => event.slice(schedulePrefix.length))
}

export interface SchedulesOptions {
  /** Called when it is time; `event` is `onSchedule:<cron>`. */
  onDue(pluginId: string, event: string): void
}

/** The clocks of enabled plugins. */
export class Schedules {
  readonly #options: SchedulesOptions
  readonly #crons = new Map<string, Cron[]>()
  #timeZone: string

  constructor(timeZone: string, options: SchedulesOptions) {
    this.#timeZone = timeZone
    this.#options = options
  }

  /** Holds from the next call of {@link set} on. */
  setTimeZone(timeZone: string): void {
    this.#timeZone = timeZone
  }

  /** Sets the clocks of one plugin, in place of those it had; its manifest was checked to name times that come. */
  set(pluginId: string, patterns: readonly string[]): void {
    this.clear(pluginId)
    const options = { timezone: this.#timeZone, unref: true, protect: true }
    const crons = patterns.map(
      (pattern) => new Cron(pattern, options, () => this.#options.onDue(pluginId, schedulePrefix + pattern)),
    )
    if (crons.length > 0) this.#crons.set(pluginId, crons)
  }

  clear(pluginId: string): void {
    for (const cron of this.#crons.get(pluginId) ?? []) cron.stop()
    this.#crons.delete(pluginId)
  }

  clearAll(): void {
    for (const pluginId of [...this.#crons.keys()]) this.clear(pluginId)
  }
}
