import type { Contributions, Huitou, Progress } from '@huitou/plugin-api'
import type { Budgets } from './budget.ts'
import type { Effects } from './effects.ts'
import type { PluginContributions, PluginLocation, PluginState } from './plugin-record.ts'
import type { FindRunnerCommand } from './runner-command.ts'
import type { WireError } from './wire-error.ts'

export type Point = Exclude<keyof Contributions, 'configuration'>

export type HostEvent =
  | { type: 'state'; pluginId: string; state: PluginState; error?: WireError }
  | { type: 'crash'; pluginId: string; error: WireError; quarantined: boolean }
  /** It is near or over a budget, or something it needs is out of order. */
  | { type: 'warning'; pluginId: string; error: WireError }
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
  /** What plugins may use, in place of the defaults. */
  budgets?: Budgets
  /** How a plugin's process is started; from the source tree when absent. */
  findRunnerCommand?: FindRunnerCommand
  /** Module that a trusted plugin's thread runs; that of the source tree when absent. */
  workerEntry?: URL
}

export interface HostCallOptions {
  signal?: AbortSignal | undefined
  /** Milliseconds; that of the plugin's budget when absent. */
  deadlineMs?: number | undefined
  /** Language of whoever reads the answer. */
  locale?: string | undefined
  /** Hears what the call says of how far it is. */
  onProgress?: ((progress: Progress) => void) | undefined
}
