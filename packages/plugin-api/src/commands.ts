import type { JsonSchema, LocalizedText } from './contributions.ts'
import type { RunContext } from './plugin.ts'

/** An entry of the command palette. Implemented with `huitou.commands.register(id, …)`. */
export interface CommandContribution {
  id: string
  title: LocalizedText
  description?: LocalizedText
  /** Heading it stands under in the palette. */
  category?: LocalizedText
  /** Lucide icon name. */
  icon?: string
  /** What it needs to be told; drawn as a form before it runs. */
  input?: JsonSchema
  /** It runs as a job that shows progress and can be cancelled. */
  longRunning?: boolean
  /**
   * Other plugins may run it as well, with what this plugin was granted. Without it a command is for people and for
   * the plugin itself.
   */
  callable?: boolean
  /** Offered only where this holds. */
  when?: string
}

export interface Progress {
  done: number
  total?: number
  message?: string
}

export interface CommandContext extends RunContext {
  /** Shown to whoever started it; the last report wins. */
  progress(progress: Progress): void
}

/** Implementation of a `commands` contribution. What it returns is handed to the caller. */
export interface CommandHandler<Input = Record<string, unknown>> {
  run(input: Input, context: CommandContext): Promise<unknown> | unknown
}

export type MenuPlace =
  | 'customerPage'
  | 'customerList'
  | 'segmentPage'
  | 'reportPage'
  | 'recordPage'
  | 'recordList'
  | 'viewTitle'

/** A command as an entry of a menu. */
export interface MenuContribution {
  /** Own id of a command, or `publisher.name/id`. */
  command: string
  place: MenuPlace
  /** Entries of one group stand together; groups are in alphabetical order. */
  group?: string
  order?: number
  when?: string
}

/** A command on a key. */
export interface KeybindingContribution {
  command: string
  /** For instance `ctrl+shift+k` or `g t`; `mod` is Ctrl, on a Mac Command. */
  key: string
  /** Key on a Mac when it differs. */
  mac?: string
  when?: string
}

export interface WalkthroughStep {
  id: string
  title: LocalizedText
  description?: LocalizedText
  /** What its button runs. */
  command?: string
  /** It is done once this happened: `onCommand:<id>`, `onEvent:<name>`, `onSettingChanged:<key>`, `onView:<id>`. */
  completedBy: string[]
}

/** First steps with the plugin. */
export interface WalkthroughContribution {
  id: string
  title: LocalizedText
  description?: LocalizedText
  steps: WalkthroughStep[]
  when?: string
}

/** Texts of Huitou or of another plugin in a further language. */
export interface LocalizationContribution {
  /** BCP 47 tag, for instance `zh-TW`. */
  locale: string
  /** File in the package: texts by key. */
  file: string
  /** Plugin whose texts they are; Huitou's own if absent. */
  plugin?: string
}
