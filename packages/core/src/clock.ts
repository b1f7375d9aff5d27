/** Where "now" comes from. Tests and rehearsals bring their own. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number
  /** The machine's time where `now` may leave it behind, as in a demo shop whose days somebody lets pass. */
  machine?(): number
}

export const systemClock: Clock = { now: () => Date.now() }
