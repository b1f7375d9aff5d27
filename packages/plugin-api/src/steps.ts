import type { ColumnBatch } from './columns.ts'
import type { JsonSchema, LocalizedText } from './contributions.ts'
import type { RunContext } from './plugin.ts'

/** A step of a journey or something done to many customers. Implemented with `huitou.actions.register(id, …)`. */
export interface ActionContribution {
  id: string
  title: LocalizedText
  description?: LocalizedText
  icon?: string
  /** What it needs to be told; drawn as a form. */
  input?: JsonSchema
  /** What it answers; later steps can use it. */
  output?: JsonSchema
  /** Running it twice with the same key does no more than once. Others are never repeated after a crash. */
  idempotent?: boolean
  /** Where it can be used; both if absent. */
  places?: ('journey' | 'bulk')[]
}

export interface ActionContext extends RunContext {
  /** The same for every attempt of the same step. */
  readonly key: string
  readonly customerId?: number
}

/** Implementation of an `actions` contribution. */
export interface Action {
  run(input: Record<string, unknown>, context: ActionContext): Promise<unknown> | unknown
}

/**
 * A predicate over customers. In a branch of a journey it is asked at that moment, with the options that a person set.
 * For rules of segments it is asked about everybody, with the defaults of its options, when profiles have changed and
 * when a day begins; the answer is the column `<plugin>_is_<id>`. A column holds one answer for each customer, whatever
 * somebody would set: without defaults for all required options there is none. Give each a default, or declare one
 * condition for each answer that rules need. Implemented with `huitou.conditions.register(id, …)`.
 */
export interface ConditionContribution {
  id: string
  title: LocalizedText
  description?: LocalizedText
  /** Profile columns it reads. */
  inputs: string[]
  /** What a person can set when they use it. */
  options?: JsonSchema
}

export interface ConditionBatch extends ColumnBatch {
  readonly options: Readonly<Record<string, unknown>>
}

/** Implementation of a `conditions` contribution. */
export interface Condition {
  /** Returns 1 for every row that fits, 0 for the others. */
  test(batch: ConditionBatch, context: RunContext): Promise<Uint8Array> | Uint8Array
}

/** A check before a message goes out. Implemented with `huitou.gates.register(id, …)`. */
export interface GateContribution {
  id: string
  title: LocalizedText
  description?: LocalizedText
  /** Profile columns it reads. */
  inputs?: string[]
  /** Only messages on these channels; all if absent. */
  channels?: string[]
}

/** A message that is about to go out. */
export interface GateDelivery {
  key: string
  customerId: number
  /** `publisher.name/id` of the channel. */
  channel: string
  journeyId?: string
  /** The customer's values in the gate's input columns. */
  columns: Readonly<Record<string, string | number | null>>
}

/** A refusal without `retryAt` is final and stored with its reason. */
export type GateVerdict = { allow: true } | { allow: false; reason: string; retryAt?: number }

/** Implementation of a `gates` contribution. */
export interface Gate {
  allow(delivery: GateDelivery, context: RunContext): Promise<GateVerdict> | GateVerdict
}
