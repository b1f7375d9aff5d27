const arrays = {
  Float64Array,
  Float32Array,
  Int32Array,
  Int16Array,
  Int8Array,
  Uint32Array,
  Uint16Array,
  Uint8Array,
} as const

type Name = keyof typeof arrays

/** One line of JSON for what crosses between server and plugin; typed arrays and `undefined` survive. */
export function toWireJson(value: unknown): string {
  return JSON.stringify(encode(value))
}

/** What {@link toWireJson} wrote. */
export function fromWireJson(text: string): unknown {
  return decode(JSON.parse(text))
}

function encode(value: unknown): unknown {
  if (value === undefined) return { $: 'undefined' }
  if (typeof value === 'number' && !Number.isFinite(value)) return { $: 'number', of: String(value) }
  if (typeof value !== 'object' || value === null) return value
  if (ArrayBuffer.isView(value)) {
    const { buffer, byteOffset, byteLength } = value
    return { $: value.constructor.name, of: Buffer.from(buffer, byteOffset, byteLength).toString('base64') }
  }
  if (Array.isArray(value)) return value.map(encode)
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  return Object.fromEntries(fields.map(([key, field]) => [key, encode(field)]))
}

function decode(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(decode)
  const { $: kind, of } = value as { $?: string; of?: string }
  if (kind === 'undefined') return undefined
  if (kind === 'number') return Number(of)
  if (kind !== undefined && kind in arrays) {
    // A copy of its own: a slice of Buffer's pool cannot be moved to a plugin, nor is it aligned.
    const bytes = Uint8Array.from(Buffer.from(of ?? '', 'base64'))
    return new arrays[kind as Name](bytes.buffer)
  }
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, decode(field)]))
}
