import { isMarkedAsUntransferable } from 'node:worker_threads'
import type { Transferable } from 'node:worker_threads'

/**
 * The buffers of all typed arrays in `value`, to be moved instead of copied. Left out are views over a part of a
 * buffer, whose other parts may be someone else's, and buffers that may not leave.
 */
export function transferList(value: unknown): Transferable[] {
  const buffers = new Set<ArrayBuffer>()
  collect(value, buffers, new Set())
  return [...buffers]
}

function collect(value: unknown, buffers: Set<ArrayBuffer>, seen: Set<object>): void {
  if (typeof value !== 'object' || value === null || seen.has(value)) return
  seen.add(value)
  if (ArrayBuffer.isView(value)) {
    const { buffer } = value
    const whole = value.byteLength === buffer.byteLength
    if (buffer instanceof ArrayBuffer && whole && !isMarkedAsUntransferable(buffer)) buffers.add(buffer)
  } else if (Array.isArray(value)) {
    // The long arrays are dictionaries of strings; looking at each of a million strings would cost more than the move.
    if (typeof value[0] === 'object') for (const item of value) collect(item, buffers, seen)
  } else {
    for (const member of Object.values(value)) collect(member, buffers, seen)
  }
}
