import type { EffectMethod, Effects } from './effects.ts'
import { toWireError } from './wire-error.ts'
import type { WireError } from './wire-error.ts'

/** One call of an effect and what came of it, as a line of a recording. */
export interface RecordedEffect {
  pluginId: string
  method: EffectMethod
  args: unknown[]
  /** Epoch milliseconds at which it was called. */
  at: number
  answer?: unknown
  error?: WireError
}

/** Hands every call and its outcome to `write`, one JSON line each, in the order in which calls end. */
export function recordEffects(
  effects: Effects,
  { write, now }: { write: (line: string) => void; now: () => number },
): Effects {
  return async (pluginId, method, args, context) => {
    const at = now()
    // Encoded before the call: typed arrays in it may have moved away after.
    const call = { pluginId, method, args: encodeRecorded(args), at }
    try {
      const answer = await effects(pluginId, method, args, context)
      write(JSON.stringify({ ...call, answer: encodeRecorded(answer) }))
      return answer
    } catch (error) {
      write(JSON.stringify({ ...call, error: toWireError(error) }))
      throw error
    }
  }
}

/** Lines of a recording, as they were before they were written. Empty lines are passed over. */
export function readRecording(text: string): RecordedEffect[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => decodeRecorded(JSON.parse(line)) as RecordedEffect)
}

const ARRAYS = {
  Float64Array,
  Float32Array,
  Int32Array,
  Int16Array,
  Int8Array,
  Uint32Array,
  Uint16Array,
  Uint8Array,
} as const

/** A value as JSON can hold it: typed arrays become their bytes in Base64, numbers that JSON lacks their names. */
export function encodeRecorded(value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) return { $number: String(value) }
  if (typeof value === 'bigint') return { $bigint: String(value) }
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Date) return { $date: value.getTime() }
  if (ArrayBuffer.isView(value)) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    const name = Object.keys(ARRAYS).find((known) => value.constructor.name === known) ?? 'Uint8Array'
    return { $array: name, base64: bytes.toString('base64') }
  }
  if (Array.isArray(value)) return value.map(encodeRecorded)
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, encodeRecorded(inner)]))
}

/** What {@link encodeRecorded} was given. */
export function decodeRecorded(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(decodeRecorded)
  const coded = value as Record<string, unknown>
  if (typeof coded['$number'] === 'string') return Number(coded['$number'])
  if (typeof coded['$bigint'] === 'string') return BigInt(coded['$bigint'])
  if (typeof coded['$date'] === 'number') return new Date(coded['$date'])
  if (typeof coded['$array'] === 'string' && Object.hasOwn(ARRAYS, coded['$array'])) {
    const bytes = new Uint8Array(Buffer.from(String(coded['base64']), 'base64'))
    return new ARRAYS[coded['$array'] as keyof typeof ARRAYS](bytes.buffer)
  }
  return Object.fromEntries(Object.entries(coded).map(([key, inner]) => [key, decodeRecorded(inner)]))
}
