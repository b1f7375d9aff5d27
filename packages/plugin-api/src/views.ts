import type { JsonSchema, LocalizedText, ReportBlock } from './contributions.ts'
import type { RunContext } from './plugin.ts'

/**
 * `table`, `board`, `calendar` and `form` draw a collection, `dashboard` and `report` blocks of reports; Huitou draws
 * them. `webview` is a page of the plugin's in a sandboxed frame, `module` a component in the admin's own page, for
 * bundled and trusted plugins.
 */
export type ViewKind = 'table' | 'board' | 'calendar' | 'form' | 'dashboard' | 'report' | 'webview' | 'module'

/** `activityBar`, `customerPage`, `workbenchSide`, `dashboard`, or the id of one of its `viewsContainers`. */
export type ViewPlace = 'activityBar' | 'customerPage' | 'workbenchSide' | 'dashboard' | (string & {})

/** A page or a panel. */
export interface ViewContribution {
  id: string
  title: LocalizedText
  description?: LocalizedText
  /** Lucide icon name. */
  icon?: string
  kind: ViewKind
  place: ViewPlace
  /** Collection it shows: an own id, or `publisher.name/id` of one it has permission for. */
  collection?: string
  /** Fields shown, in order; all if absent. */
  fields?: string[]
  /** Field whose values are the lanes of a board. */
  groupBy?: string
  /** Field whose value places a record in a calendar. */
  dateField?: string
  /** Blocks of a dashboard. */
  blocks?: DashboardBlock[]
  /** Report it shows: an own id, or `publisher.name/id`. */
  report?: string
  /** File in the package: the HTML page of a webview, the script of a module. */
  entry?: string
  /** What the page of a webview, or the component of a module, may ask the plugin's own code. */
  calls?: Record<string, ViewCall>
  /** Shown only where this holds. */
  when?: string
}

/** A question that a page asks its plugin; Huitou checks both ways that what is said fits. */
export interface ViewCall {
  description?: LocalizedText
  /** JSON Schema of what the page sends; nothing may be sent if absent. */
  input?: JsonSchema
  /** JSON Schema of the answer; anything that is JSON if absent. */
  output?: JsonSchema
  /** It changes nothing, so that whoever sees the page may ask it. Others are for those who may run commands. */
  readOnly?: boolean
}

/** What a plugin registers for a view: a function for each of its `calls`. Ten seconds, 256 KB in, 1 MB out. */
export type ViewImplementation = Record<
  string,
  (input: never, context: RunContext) => Promise<unknown> | unknown
>

/** A block of some report, placed on a dashboard. */
export interface DashboardBlock extends Pick<ReportBlock, 'id' | 'span'> {
  title?: LocalizedText
  /** Own id of a report, or `publisher.name/id`. */
  report: string
  /** Block of that report. */
  block: string
  parameters?: Readonly<Record<string, unknown>>
}

/** An entry of the activity bar that holds views. */
export interface ViewsContainerContribution {
  id: string
  title: LocalizedText
  /** Lucide icon name. */
  icon: string
  when?: string
}

/** A dashboard that owners can put on their home page and change. */
export interface DashboardContribution {
  id: string
  title: LocalizedText
  description?: LocalizedText
  blocks: DashboardBlock[]
}
