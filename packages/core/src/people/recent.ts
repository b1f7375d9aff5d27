/** Remembers what was worked out last; of more than `limit` the oldest is forgotten. */
export class Recent<K, V> {
  readonly #known = new Map<K, V>()
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  get(key: K): V | undefined {
    return this.#known.get(key)
  }

  set(key: K, value: V): V {
    this.#known.set(key, value)
    if (this.#known.size > this.#limit) {
      const [oldest] = this.#known.keys()
      this.#known.delete(oldest as K)
    }
    return value
  }

  clear(): void {
    this.#known.clear()
  }
}
