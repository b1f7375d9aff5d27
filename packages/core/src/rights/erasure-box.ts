import type { SealingBox } from '../plugin-data/storage.ts'

/** Seals what an erasure has to remember until it is done; opens what was sealed under the secret before as well. */
export class ErasureBox {
  readonly #box: SealingBox | undefined
  readonly #oldBox: SealingBox | undefined

  constructor(box: SealingBox | undefined, oldBox: SealingBox | undefined) {
    this.#box = box
    this.#oldBox = oldBox
  }

  /** Whether anything is sealed at all. */
  get seals(): boolean {
    return this.#box !== undefined
  }

  seal(text: string): string {
    return this.#box?.seal(text) ?? text
  }

  open(sealed: string): { text: string; isOld: boolean } {
    try {
      return { text: this.#box?.open(sealed) ?? sealed, isOld: false }
    } catch (error) {
      if (!this.#oldBox) throw error
      return { text: this.#oldBox.open(sealed), isOld: true }
    }
  }
}
