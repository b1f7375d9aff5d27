import type { ColumnVector } from '@huitou/plugin-api'

export type VectorKind = 'number' | 'text'

/** Grows a column vector row by row without knowing how many will come. */
export class VectorBuilder {
  readonly kind: VectorKind
  #length = 0
  #numbers = new Float64Array(0)
  #indexes = new Int32Array(0)
  readonly #dictionary: string[] = []
  readonly #known = new Map<string, number>()

  constructor(kind: VectorKind) {
    this.kind = kind
  }

  push(value: unknown): void {
    if (this.kind === 'number') {
      if (this.#length === this.#numbers.length) this.#numbers = grow(this.#numbers, Float64Array)
      this.#numbers[this.#length++] = value == null ? Number.NaN : Number(value)
      return
    }
    if (this.#length === this.#indexes.length) this.#indexes = grow(this.#indexes, Int32Array)
    this.#indexes[this.#length++] = value == null ? -1 : this.#indexOf(String(value))
  }

  build(): ColumnVector {
    if (this.kind === 'number') return { kind: 'number', values: this.#numbers.slice(0, this.#length) }
    return { kind: 'text', dictionary: this.#dictionary, indexes: this.#indexes.slice(0, this.#length) }
  }

  #indexOf(value: string): number {
    let index = this.#known.get(value)
    if (index === undefined) {
      index = this.#dictionary.push(value) - 1
      this.#known.set(value, index)
    }
    return index
  }
}

function grow<T extends Float64Array | Int32Array>(array: T, type: new (length: number) => T): T {
  const larger = new type(Math.max(1_024, array.length * 2))
  larger.set(array as never)
  return larger
}
