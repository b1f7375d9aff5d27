import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readvSync,
  statSync,
  unlinkSync,
  writevSync,
} from 'node:fs'
import { randomUUID } from 'node:crypto'
import path from 'node:path'

/** Shorter bodies travel through the channel just as fast. */
export const scratchFrom = 131_072
/** Longer ones would keep too much memory. */
const scratchTo = 67_108_864
/** What stays set aside between messages: getting memory anew costs as much as the copy. */
const keptBytes = 8_388_608
const blockBytes = 512
const folder = '/dev/shm'

/**
 * A file in memory through which the bodies of large messages go, one at a time in each direction: a copy into it and
 * one out of it cost a fraction of what the channel's many small pieces do.
 */
export class Scratch implements Disposable {
  readonly #writeFd: number
  readonly #readFd: number
  /** Until the other side has taken what lies there. */
  #busy = false
  #disposed = false

  constructor(writeFd: number, readFd: number) {
    this.#writeFd = writeFd
    this.#readFd = readFd
  }

  /** Whether it took `parts`; they are not to be sent through the channel then. */
  put(parts: readonly Uint8Array[]): boolean {
    const bytes = parts.reduce((sum, { byteLength }) => sum + byteLength, 0)
    if (this.#busy || this.#disposed || bytes < scratchFrom || bytes > scratchTo) return false
    try {
      // A file in memory is written whole, or not at all for want of room.
      if (writevSync(this.#writeFd, parts, 0) !== bytes) return false
    } catch {
      return false
    }
    this.#busy = true
    return true
  }

  /** The other side has read what was put. */
  release(): void {
    if (!this.#busy || this.#disposed) return
    this.#busy = false
    if (fstatSync(this.#writeFd).size > keptBytes) ftruncateSync(this.#writeFd, 0)
  }

  /** Fills `parts` with what the other side put. */
  take(parts: readonly Uint8Array[]): void {
    const bytes = parts.reduce((sum, { byteLength }) => sum + byteLength, 0)
    if (bytes > 0 && readvSync(this.#readFd, parts, 0) !== bytes)
      throw new Error('A message is shorter than it says')
  }

  /** Bytes of memory that the other side's file holds. */
  heldBytes(): number {
    return this.#disposed ? 0 : fstatSync(this.#readFd).blocks * blockBytes
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return
    this.#disposed = true
    closeSync(this.#writeFd)
    closeSync(this.#readFd)
  }
}

export interface ScratchPair {
  readonly own: Scratch
  /** Descriptors for the other process: the first to read from, the second to write to. */
  readonly theirs: readonly [number, number]
  /** Closes `theirs` here, once the other process has them. */
  handOver(): void
}

/** Two such files that no path leads to; undefined where the system keeps no files in memory. */
export function createScratchPair(): ScratchPair | undefined {
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) return undefined
  const opened: number[] = []
  try {
    const open = () => {
      const file = path.join(folder, `huitou-${randomUUID()}`)
      const write = openSync(file, 'wx', 0o600)
      opened.push(write)
      const read = openSync(file, 'r')
      opened.push(read)
      unlinkSync(file)
      return { write, read }
    }
    const [toThem, toUs] = [open(), open()]
    const theirs = [toThem.read, toUs.write] as const
    return {
      own: new Scratch(toThem.write, toUs.read),
      theirs,
      handOver: () => theirs.forEach((descriptor) => closeSync(descriptor)),
    }
  } catch {
    for (const descriptor of opened) closeSync(descriptor)
    return undefined
  }
}
