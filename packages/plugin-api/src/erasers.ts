import type { LocalizedText } from './contributions.ts'
import type { RunContext } from './plugin.ts'

/**
 * Data about customers that the plugin keeps elsewhere: in a service of its own, in files, in another system. Records
 * of collections and what `huitou.storage` holds need none; those the server erases itself. Implemented with
 * `huitou.erasers.register(id, …)`.
 */
export interface EraserContribution {
  id: string
  /** What is kept and where; shown while an erasure waits for it. */
  title: LocalizedText
  description?: LocalizedText
}

/** Somebody who is erased for good. Nothing of them can be asked for any more. */
export interface ErasedCustomer {
  /** The same for every attempt. */
  readonly erasure: string
  /** Every number that the customer was known by. */
  readonly ids: readonly number[]
  /** Stable outside id, as `key` in batches and queries; `#<id>` where the plugin may not see it. */
  readonly key: string
  /** Identifiers of the kinds that the plugin may read: each kind takes `profile.pii`. */
  readonly identifiers: readonly { readonly kind: string; readonly value: string }[]
}

/** Implementation of an `erasers` contribution. */
export interface Eraser {
  /**
   * Deletes what is kept of the customer and answers once it is gone; throws when it could not. It is asked again until
   * it has answered, so whoever is not known, or not any more, is no error.
   */
  erase(customer: ErasedCustomer, context: RunContext): Promise<ErasureAnswer> | ErasureAnswer
}

export interface ErasureAnswer {
  /** How many things went; 0 when nothing was kept. */
  removed: number
}
