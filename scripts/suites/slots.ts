import { availableParallelism } from 'node:os'

const waiting: (() => void)[] = []
let free = availableParallelism()

/** Runs `work` as soon as a processor is free for it; who asks first is served first. */
export async function inSlot<T>(work: () => Promise<T>): Promise<T> {
  if (free > 0) free--
  else await new Promise<void>((resolve) => waiting.push(resolve))
  try {
    return await work()
  } finally {
    const next = waiting.shift()
    if (next) next()
    else free++
  }
}
