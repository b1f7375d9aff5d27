import type { JsonSchema, LocalizedText } from './contributions.ts'

/** A journey to start from: the owner sets its parameters, looks at it and publishes it. */
export interface JourneyContribution {
  id: string
  title: LocalizedText
  description?: LocalizedText
  icon?: string
  /** The journey; `{{parameter}}` stands where a parameter goes. */
  definition: Readonly<Record<string, unknown>>
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
