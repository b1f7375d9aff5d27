/**
 * Numbers that look random and are the same for the same seed, on every machine: xoshiro128** 1.1 of Blackman and
 * Vigna (public domain), its state filled by splitmix32 so that neighbouring seeds have nothing in common.
 */
export class Random {
  #a: number
  #b: number
  #c: number
  #d: number

  constructor(...seeds: number[]) {
    let state = 0
    const next = () => {
      state = (state + 0x9e3779b9) | 0
      let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
      return mixed ^ (mixed >>> 15)
    }
    for (const seed of seeds) state = (Math.imul(state ^ seed, 0x85ebca6b) ^ next()) | 0
    this.#a = next()
    this.#b = next()
    this.#c = next()
    this.#d = next() | 1
  }

  /** From 0 up to, but not, 1. */
  next(): number {
    const scrambled = Math.imul(rotate(Math.imul(this.#b, 5), 7), 9)
    const shifted = this.#b << 9
    this.#c ^= this.#a
    this.#d ^= this.#b
    this.#b ^= this.#c
    this.#a ^= this.#d
    this.#c ^= shifted
    this.#d = rotate(this.#d, 11)
    return (scrambled >>> 0) / 0x1_0000_0000
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  between(low: number, high: number): number {
    return low + this.next() * (high - low)
  }

  /** A whole number, both ends included. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1))
  }

  pick<T>(values: readonly T[]): T {
    return values[Math.floor(this.next() * values.length)] as T
  }

  /** Around 1, never negative; `spread` 0.5 gives mostly 0.6 to 1.6. */
  logNormal(spread: number): number {
    // Sum of uniforms is normal enough here, and needs no rejection.
    let sum = -3
    for (let draw = 0; draw < 6; draw++) sum += this.next()
    return Math.exp(sum * Math.SQRT2 * spread)
  }

  digits(count: number): string {
    let text = ''
    for (let digit = 0; digit < count; digit++) text += Math.floor(this.next() * 10)
    return text
  }

  letters(count: number): string {
    let text = ''
    for (let letter = 0; letter < count; letter++) text += LETTERS[Math.floor(this.next() * LETTERS.length)]
    return text
  }
}

const LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0123456789'

/** Picks by weight in the time of a binary search. */
export class Choice<T> {
  readonly #values: readonly T[]
  readonly #sums: Float64Array

  constructor(values: readonly T[], weightOf: (value: T) => number) {
    this.#values = values
    this.#sums = new Float64Array(values.length)
    let sum = 0
    values.forEach((value, index) => (this.#sums[index] = sum += weightOf(value)))
  }

  pick(random: Random): T {
    return this.#values[findSum(this.#sums, random.next() * (this.#sums.at(-1) ?? 0))] as T
  }
}

/** Position of the first sum above `target`. */
export function findSum(sums: Float64Array, target: number, from = 0, to = sums.length - 1): number {
  let low = from
  let high = to
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sums[middle] as number) > target) high = middle
    else low = middle + 1
  }
  return low
}

function rotate(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by))
}
