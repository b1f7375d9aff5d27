/**
 * What goes wrong with one request. `busy`: refused for now. `hang-up`: the connection breaks before anything is
 * taken. `lost`: it is taken, and the answer never arrives. `slow`: the answer comes after `ms`.
 */
export type Fault = 'busy' | 'hang-up' | 'lost' | { slow: number }

/** Faults that wait for the next requests, first come first served. */
export class Faults {
  readonly #waiting: (Fault | undefined)[] = []

  /** The next request meets the first of these, the one after it the second …; `undefined` lets one through. */
  next(...faults: (Fault | undefined)[]): void {
    this.#waiting.push(...faults)
  }

  take(): Fault | undefined {
    return this.#waiting.shift()
  }
}
