import type { ChannelContribution } from './channels.ts'
import type { CollectionContribution } from './collections.ts'
import type { ColumnType } from './columns.ts'
import type {
  CommandContribution,
  KeybindingContribution,
  LocalizationContribution,
  MenuContribution,
  WalkthroughContribution,
} from './commands.ts'
import type { ExtensionContribution, ExtensionPointContribution } from './extension-points.ts'
import type { JourneyContribution, ScriptPackContribution, TemplateContribution } from './journeys.ts'
import type { ModelContribution } from './models.ts'
import type { ColumnRule } from './rules.ts'
import type { EraserContribution } from './erasers.ts'
import type { ActionContribution, ConditionContribution, GateContribution } from './steps.ts'
import type { DashboardContribution, ViewContribution, ViewsContainerContribution } from './views.ts'

/** JSON Schema 2020-12, as plain data. */
export type JsonSchema = { readonly [keyword: string]: unknown }

/** A text a person reads. `%key%` is looked up in `package.nls.json` and `package.nls.zh-CN.json`. */
export type LocalizedText = string

/** A type of event that the plugin knows how to read. */
export interface EventTypeContribution {
  /** Canonical name, `thing.happened`, for instance `order.paid`. */
  name: string
  title: LocalizedText
  /** Other names under which the same fact arrives, for instance Segment's `Order Completed`. */
  aliases?: string[]
  /** Icon of the timeline entry, a Lucide name. */
  icon?: string
  /** Properties, for completion, for the timeline and for the docs. */
  schema?: JsonSchema
  /**
   * Properties that name the fact. A later version of the same fact (same key) takes the place of the earlier
   * one, whatever order they arrive in. A part that ends in `?` may be missing; an event that lacks another part,
   * and every event of a type without a key, is a fact of its own.
   */
  key?: string[]
  /** Property holding the number that aggregates add up. */
  value?: string
  /** `money`: decimal amount in the event, stored as minor units; `number`: as it stands. */
  valueType?: 'money' | 'number'
  /** Properties that hold personal data and are masked where the reader may not see it. */
  pii?: string[]
}

export interface FeatureEvent {
  /** Canonical event name. */
  name: string
  /** Multiplies what this event adds to a `sum`; −1 takes refunds off. 1 if absent. */
  factor?: number
  /** Only events whose property equals one of these values. */
  where?: Record<string, string | number | boolean | (string | number | boolean)[]>
}

/**
 * How events fold into a number. All are independent of arrival order: `first`/`last` go by event time, then by
 * message id; `mode` is the most frequent value (ties: the smaller); `mean_gap` is the mean time in milliseconds
 * between the customer's distinct business days of activity.
 */
export type Aggregate =
  | 'count'
  | 'sum'
  | 'mean'
  | 'min'
  | 'max'
  | 'first'
  | 'last'
  | 'distinct'
  | 'mode'
  | 'mean_gap'

/** A declared aggregate over one customer's events; becomes a profile column. */
export interface FeatureContribution {
  /** Column id inside the plugin; the column is `<plugin>_<id>`. */
  id: string
  title: LocalizedText
  description?: LocalizedText
  events: FeatureEvent[]
  aggregate: Aggregate
  /** `value` (the event type's value), `time`, or a property path such as `category` or `items.0.sku`. */
  of?: string
  /** Only the last N business days, today included, in the brand's time zone. */
  windowDays?: number
  type: ColumnType
  unit?: LocalizedText
}

export interface OutputColumn {
  id: string
  title: LocalizedText
  description?: LocalizedText
  type: ColumnType
  unit?: LocalizedText
  range?: [number, number]
}

/** Computes numbers for customers. Implemented with `huitou.scorers.register(id, …)`. */
export interface ScorerContribution {
  id: string
  title: LocalizedText
  description?: LocalizedText
  /** Profile columns it reads: `<plugin>_<id>`, also its own, or a core column. */
  inputs: string[]
  outputs: OutputColumn[]
  /** It learns a model with `fit`, which `score` is then handed. */
  fits?: boolean
  /** Cron in the brand's time zone; besides it, scores follow changes of their inputs. */
  schedule?: string
}

export interface LabelValue {
  id: string
  title: LocalizedText
  description?: LocalizedText
  /** Token name of a chart colour: `chart-1` … `chart-8`. */
  color?: string
  /** Group the label belongs to, for instance a core group of RFM. */
  group?: string
  /** Who gets it, when the segmenter has no code. The first label whose rule holds is given. */
  rule?: ColumnRule
}

/**
 * Gives each customer one of a closed set of labels. Implemented with `huitou.segmenters.register(id, …)`, or by the
 * labels' rules alone: then every label has one and no code is needed.
 */
export interface SegmenterContribution {
  id: string
  title: LocalizedText
  description?: LocalizedText
  inputs: string[]
  labels: LabelValue[]
  groups?: { id: string; title: LocalizedText; color?: string; strategy?: LocalizedText }[]
}

export type ReportBlockKind =
  | 'number'
  | 'table'
  | 'line'
  | 'bar'
  | 'heatmap'
  | 'funnel'
  | 'sankey'
  | 'cohort'
  | 'text'

export interface ReportBlock {
  id: string
  kind: ReportBlockKind
  title: LocalizedText
  description?: LocalizedText
  /** Width in twelfths of the page; 12 if absent. */
  span?: number
}

/** A report. Implemented with `huitou.reports.register(id, …)`. */
export interface ReportContribution {
  id: string
  title: LocalizedText
  description?: LocalizedText
  /** Heading it stands under in the side bar. */
  group?: LocalizedText
  parameters?: JsonSchema
  blocks: ReportBlock[]
}

/** One field a source can fill from a column of a file. */
export interface SourceField {
  id: string
  title: LocalizedText
  type: 'text' | 'id' | 'money' | 'number' | 'time' | 'phone' | 'email'
  required?: boolean
  pii?: boolean
}

/** Reads files of one kind. Implemented with `huitou.sources.register(id, …)`. */
export interface SourceContribution {
  id: string
  title: LocalizedText
  description?: LocalizedText
  fields: SourceField[]
  /** Webhook paths it answers, below `/hooks/<plugin>/`. */
  webhooks?: WebhookContribution[]
}

/** An address that outside services post to, below `/hooks/<plugin>/`. */
export interface WebhookContribution {
  path: string
  title: LocalizedText
  settings?: JsonSchema
}

/** Everything a plugin can add, by contribution point. `pointCatalogue` says which have an engine today. */
export interface Contributions {
  events?: EventTypeContribution[]
  features?: FeatureContribution[]
  sources?: SourceContribution[]
  scorers?: ScorerContribution[]
  segmenters?: SegmenterContribution[]
  reports?: ReportContribution[]
  channels?: ChannelContribution[]
  actions?: ActionContribution[]
  conditions?: ConditionContribution[]
  gates?: GateContribution[]
  erasers?: EraserContribution[]
  journeys?: JourneyContribution[]
  scripts?: ScriptPackContribution[]
  templates?: TemplateContribution[]
  collections?: CollectionContribution[]
  views?: ViewContribution[]
  viewsContainers?: ViewsContainerContribution[]
  dashboards?: DashboardContribution[]
  commands?: CommandContribution[]
  menus?: MenuContribution[]
  keybindings?: KeybindingContribution[]
  walkthroughs?: WalkthroughContribution[]
  models?: ModelContribution[]
  localizations?: LocalizationContribution[]
  /** Points of its own that other plugins can contribute to. */
  extensionPoints?: ExtensionPointContribution[]
  /** Contributions to points that other plugins define. */
  extensions?: ExtensionContribution[]
  /** Settings as JSON Schema; each property may carry `order`, `scope` and `secret: true`. */
  configuration?: JsonSchema
}
