import type { JsonSchema, LocalizedText } from './contributions.ts'
import type { RunContext } from './plugin.ts'

/** A point of a plugin's own that other plugins can contribute to. Full id: `publisher.name/point/v1`. */
export interface ExtensionPointContribution {
  /** `point/v1`; a change that breaks contributors is a new version. */
  id: string
  title: LocalizedText
  description?: LocalizedText
  /** JSON Schema of what a contributor declares beside `point` and `id`. */
  schema: JsonSchema
  /** What a contributor implements, with JSON Schemas of what goes in and comes out. */
  methods?: Record<string, ExtensionMethod>
}

export interface ExtensionMethod {
  description?: LocalizedText
  input?: JsonSchema
  output?: JsonSchema
  /** Contributors may leave it out. */
  optional?: boolean
}

/** A contribution to a point that another plugin defines; the rest of its fields are that point's. */
export interface ExtensionContribution {
  /** `publisher.name/point/v1`. */
  point: string
  id: string
  [field: string]: unknown
}

/** A contribution as the plugin that defined the point sees it; texts are in every language. */
export interface Extension<T = Record<string, unknown>> {
  /** `publisher.name/id` of the contribution: what `call` takes. */
  readonly id: string
  /** Plugin it comes from. */
  readonly plugin: string
  /** Fits the point's schema. */
  readonly data: T
}

/** What the plugin that defines a point works with. */
export interface ExtensionPointAccess<T = Record<string, unknown>> {
  /** Valid contributions of enabled plugins. */
  list(): Promise<Extension<T>[]>
  /** Calls a contributor, starting its plugin if need be. Input and answer are checked on both sides. */
  call(contributorId: string, method: string, input?: unknown): Promise<unknown>
  onDidChange(listener: () => void): { dispose(): void }
}

/** What a contributor registers: the point's methods. */
export type ExtensionImplementation = Record<
  string,
  (input: never, context: RunContext) => Promise<unknown> | unknown
>
