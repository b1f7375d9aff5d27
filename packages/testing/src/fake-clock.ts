/** A clock that moves only when told to. */
export class FakeClock {
  #now: number

  constructor(start: string | number) {
    this.#now = typeof start === 'number' ? start : Date.parse(start)
  }

  now(): number {
    return this.#now
  }

  set(time: string | number): void {
    this.#now = typeof time === 'number' ? time : Date.parse(time)
  }

  advance(milliseconds: number): void {
    this.#now += milliseconds
  }
}
