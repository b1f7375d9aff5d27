/** Lets so many pieces of work run at once and makes the others wait, up to a limit beyond which they are refused. */
export class Turnstile {
  readonly #atOnce: number
  readonly #mayWait: number
  readonly #refuse: () => Error
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(atOnce: number, mayWait: number, refuse: () => Error) {
    this.#atOnce = atOnce
    this.#mayWait = mayWait
    this.#refuse = refuse
  }

  async run<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.#running >= this.#atOnce) {
      if (this.#waiting.length >= this.#mayWait) throw this.#refuse()
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    } else {
      this.#running++
    }
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running--
    }
  }
}
