import type { JsonSchema } from './contributions.ts'
import type { JsonValue } from './huitou.ts'

/** Proposed and without an engine yet: work that outlives a call. */
export interface ProposedJobs {
  enqueue(
    kind: string,
    payload: JsonValue,
    options?: { key?: string; runAt?: number },
  ): Promise<{ id: string }>
}

/** Proposed and without an engine yet: the models that the owner connected. Needs the permission `ai`. */
export interface ProposedAi {
  generate(request: { prompt: string; system?: string; schema?: JsonSchema }): Promise<{ text: string }>
  embed(texts: string[]): Promise<Float32Array[]>
  classify(texts: string[], labels: { id: string; description?: string }[]): Promise<Int16Array>
}
