import type { JsonSchema, LocalizedText } from './contributions.ts'

/** A journey to start from: the owner sets its parameters, looks at it and publishes it. */
export interface JourneyContribution {
  id: string
  title: LocalizedText
  description?: LocalizedText
  icon?: string
  /** Heading that it stands under in the gallery. */
  group?: LocalizedText
  /**
   * The journey. `${name}` stands where a parameter goes, see {@link JourneyParameters}; `%key%` is a text in both
   * languages: in a message the customer's language decides, elsewhere the brand's.
   *
   * A `send` step may have a `message` instead of a channel and its content: `{ text, title?, url?, html? }`. It goes
   * out by the channels that the brand has set up and that can carry it, one after the other until one reaches the
   * customer; which ones is a parameter that every such template has, `channel`.
   *
   * Any step may have `when`: with nothing, false, 0 or an empty text it is left out, and what led to it leads to the
   * step behind it.
   */
  definition: Readonly<Record<string, unknown>>
  /**
   * What the owner chooses. A default may be `%key%`; one that has none has to be given. A text with `"format":
   * "task-queue"` is chosen among the queues of the workbench.
   */
  parameters?: JsonSchema
  /** Without these it cannot be started. */
  needs?: {
    /** Kinds of address that a channel has to reach, for instance `phone`. */
    channels?: string[]
    /** Profile columns. */
    columns?: string[]
    events?: string[]
    actions?: string[]
  }
  /** What to expect of it, in one sentence. */
  expected?: LocalizedText
}

export interface ScriptText {
  id: string
  title: LocalizedText
  /** Moment it is for, for instance `after_sale` or `birthday`. */
  scene: string
  /** `{{variable}}` stands where a variable goes. */
  text: LocalizedText
  variables?: string[]
}

/** Texts for people who talk to customers. */
export interface ScriptPackContribution {
  id: string
  title: LocalizedText
  description?: LocalizedText
  scripts: ScriptText[]
}

/** Content of a message to start from. */
export interface TemplateContribution {
  id: string
  title: LocalizedText
  description?: LocalizedText
  /** Kind of message, as channels name them: `text`, `html` … */
  message: string
  texts: TemplateText[]
  variables?: string[]
}

export interface TemplateText {
  /** Field of the channel's content. */
  field: string
  /** Liquid. */
  text: LocalizedText
}
