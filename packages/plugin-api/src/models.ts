import type { JsonSchema, LocalizedText } from './contributions.ts'
import type { RunContext } from './plugin.ts'

export type ModelKind = 'text' | 'embedding' | 'classification'

/** A provider of AI models. Implemented with `huitou.models.register(id, …)`. */
export interface ModelContribution {
  id: string
  title: LocalizedText
  description?: LocalizedText
  kinds: ModelKind[]
  /** Settings of one account with the provider; `secret: true` seals a value. */
  settings?: JsonSchema
}

export interface ModelUsage {
  inputTokens?: number
  outputTokens?: number
}

export interface TextRequest {
  settings: Readonly<Record<string, unknown>>
  messages: { role: 'system' | 'user' | 'assistant'; text: string }[]
  /** The answer has to be JSON that fits this schema. */
  schema?: JsonSchema
  maxTokens?: number
  temperature?: number
}

export interface EmbeddingRequest {
  settings: Readonly<Record<string, unknown>>
  texts: string[]
}

export interface ClassificationRequest {
  settings: Readonly<Record<string, unknown>>
  texts: string[]
  labels: { id: string; description?: string }[]
}

/** Implementation of a `models` contribution: one method for each kind it declares. */
export interface ModelProvider {
  generate?(request: TextRequest, context: RunContext): Promise<{ text: string; usage?: ModelUsage }>
  /** One vector a text, all of the same length. */
  embed?(
    request: EmbeddingRequest,
    context: RunContext,
  ): Promise<{ vectors: Float32Array[]; usage?: ModelUsage }>
  /** One place in `labels` a text, −1 for none. */
  classify?(
    request: ClassificationRequest,
    context: RunContext,
  ): Promise<{ labels: Int16Array; usage?: ModelUsage }>
}
