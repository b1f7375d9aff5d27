import type { TemplateName } from './templates.mjs'

export interface PluginPlan {
  /** Where it goes; made if absent, must be empty. */
  folder: string
  /** Name within the publisher: lower-case letters, digits and hyphens. */
  name: string
  publisher: string
  /** What people read. */
  title: string
  template: TemplateName
  /** Folder of `@huitou/plugin-api`, for types without a registry. */
  api?: string | undefined
}

/**
 * Writes a plugin into a folder and returns the files written, relative to it. Touches nothing else and needs no
 * network. Throws an error that says what to change when the plan cannot be carried out.
 */
export function createPlugin(plan: PluginPlan): string[]

/** Name that fits a folder: `My Plugin` becomes `my-plugin`. */
export function toName(text: string): string

/** What keeps `value` from being a name or a publisher; nothing when all is well. */
export function problemWith(what: 'name' | 'publisher', value: string): string | undefined

/** Folder of the plugin API beside this package, in a clone of Huitou. */
export declare function findApi(): string | undefined
