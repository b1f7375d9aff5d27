import { Deserializer, Serializer } from 'node:v8'
import { AppError } from '@huitou/plugin-api'
import type { Message } from './peer.ts'
import { markTextLists, packTexts, unpackTexts } from './text-list.ts'

/** How large a message may be. */
export interface FrameLimits {
  /** Bytes of everything but typed arrays: objects, texts, numbers one by one. */
  readonly structure: number
  /** Bytes of typed arrays, which cost little to carry. */
  readonly binary: number
}

/** A message whose bytes are all here; typed arrays are in `buffers`, one each. */
export interface Frame {
  /** Id of the request that it answers, well or not; 0 for every other message. */
  readonly answerTo: number
  readonly structure: Buffer
  readonly buffers: ArrayBuffer[]
}

const views = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
] as const

/** In the place of a kind of view: a long list of texts. */
const textList = 255

type ViewConstructor = new (buffer: ArrayBuffer) => ArrayBufferView

const headerBytes = 16
const maxBuffers = 4_096

/** Where the body of a frame is; `none` for one that only says that the scratch file has been read. */
export type BodyPlace = 'channel' | 'scratch' | 'none'
const places: readonly BodyPlace[] = ['channel', 'scratch', 'none']
const placeAt = 12

/** A message as bytes: the header goes through the channel, the body where the header says. */
export interface EncodedFrame {
  readonly header: Buffer
  readonly body: readonly Uint8Array[]
}

/**
 * The bytes of a message: a header with all lengths, the structure, then each typed array as it lies in memory. Typed
 * arrays that have a buffer to themselves are taken out of the hands of the sender. Throws `E_MESSAGE_TOO_LARGE`, or
 * what the clone algorithm throws for a function and its like.
 */
export function encodeFrame(message: Message, limits: FrameLimits): EncodedFrame {
  const { marked, lists } = markTextLists(message)
  const writer = new FrameWriter(lists)
  writer.writeHeader()
  writer.writeValue(marked)
  const structure = writer.releaseBuffer()
  const { arrays } = writer
  const binary = arrays.reduce((sum, { byteLength }) => sum + byteLength, 0)
  if (structure.byteLength > limits.structure)
    throw tooLarge('objects and texts', structure.byteLength, limits.structure)
  if (binary > limits.binary) throw tooLarge('typed arrays', binary, limits.binary)
  if (arrays.length > maxBuffers) throw tooLarge('typed arrays', arrays.length, maxBuffers, 'of them')
  const header = Buffer.alloc(headerBytes + arrays.length * 4)
  header.writeUInt32LE(structure.byteLength, 0)
  header.writeUInt32LE(arrays.length, 4)
  header.writeUInt32LE(isReply(message) ? message.id : 0, 8)
  arrays.forEach(({ byteLength }, index) => header.writeUInt32LE(byteLength, headerBytes + index * 4))
  return { header, body: [structure, ...arrays.filter(({ byteLength }) => byteLength > 0).map(take)] }
}

/** Notes in the header where the body is. */
export function setPlace(header: Buffer, place: BodyPlace): Buffer {
  header.writeUInt32LE(places.indexOf(place), placeAt)
  return header
}

/** A frame that says that the scratch file has been read. */
export function releaseFrame(): Buffer {
  return setPlace(Buffer.alloc(headerBytes), 'none')
}

/** Whether `message` answers a call. */
export function isReply(message: Message): message is Extract<Message, { type: 'answer' | 'failure' }> {
  return message.type === 'answer' || message.type === 'failure'
}

/** The message in `frame`; throws when its bytes are not one. */
export function decodeFrame({ structure, buffers }: Frame): unknown {
  const reader = new FrameReader(structure, buffers)
  reader.readHeader()
  return reader.readValue()
}

/** How an assembler deals with frames whose body is not in the channel. */
export interface ScratchReader {
  /** Fills the parts from the scratch file. */
  take(parts: readonly Uint8Array[]): void
  /** The other side has read what was put there. */
  release(): void
}

/** Puts frames together from bytes as they arrive. Holds no more than one frame and the bytes handed in last. */
export class FrameAssembler {
  readonly #limits: FrameLimits
  readonly #scratch: ScratchReader | undefined
  /** Bytes that have arrived and belong to no frame yet. */
  #pending: Buffer[] = []
  #pendingBytes = 0
  #open: { frame: Frame; parts: Uint8Array[]; filled: number } | undefined

  constructor(limits: FrameLimits, scratch?: ScratchReader) {
    this.#limits = limits
    this.#scratch = scratch
  }

  push(bytes: Buffer): void {
    if (bytes.byteLength === 0) return
    this.#pending.push(bytes)
    this.#pendingBytes += bytes.byteLength
  }

  /** The next whole frame, when there is one; throws when a length is beyond the limits. */
  next(): Frame | undefined {
    this.#open ??= this.#begin()
    if (!this.#open) return undefined
    const { frame, parts } = this.#open
    for (let part = parts[0]; part; part = parts[0]) {
      if (!this.#fill(part)) return undefined
      parts.shift()
      this.#open.filled = 0
    }
    this.#open = undefined
    return frame
  }

  #begin(): { frame: Frame; parts: Uint8Array[]; filled: number } | undefined {
    const header = this.#peek(headerBytes)
    if (!header) return undefined
    const structureBytes = header.readUInt32LE(0)
    const count = header.readUInt32LE(4)
    const answerTo = header.readUInt32LE(8)
    const place = places[header.readUInt32LE(placeAt)]
    if (structureBytes > this.#limits.structure)
      throw tooLarge('objects and texts', structureBytes, this.#limits.structure)
    if (count > maxBuffers) throw tooLarge('typed arrays', count, maxBuffers, 'of them')
    const lengths = this.#peek(headerBytes + count * 4)
    if (!lengths) return undefined
    const sizes = Array.from({ length: count }, (_, index) => lengths.readUInt32LE(headerBytes + index * 4))
    const binary = sizes.reduce((sum, size) => sum + size, 0)
    if (binary > this.#limits.binary) throw tooLarge('typed arrays', binary, this.#limits.binary)
    this.#drop(headerBytes + count * 4)
    const frame = {
      answerTo,
      structure: Buffer.allocUnsafe(structureBytes),
      buffers: sizes.map((size) => new ArrayBuffer(size)),
    }
    const parts = [frame.structure, ...frame.buffers.map((buffer) => new Uint8Array(buffer))].filter(
      ({ byteLength }) => byteLength > 0,
    )
    if (place === 'channel') return { frame, parts, filled: 0 }
    if (!this.#scratch || place === undefined) throw new Error('A message lies in an unknown place')
    if (place === 'none') {
      this.#scratch.release()
      return this.#begin()
    }
    this.#scratch.take(parts)
    return { frame, parts: [], filled: 0 }
  }

  /** Moves pending bytes into `part`; whether it is full now. */
  #fill(part: Uint8Array): boolean {
    const open = this.#open!
    while (open.filled < part.byteLength) {
      const chunk = this.#pending[0]
      if (!chunk) return false
      const wanted = Math.min(chunk.byteLength, part.byteLength - open.filled)
      part.set(wanted === chunk.byteLength ? chunk : chunk.subarray(0, wanted), open.filled)
      open.filled += wanted
      this.#drop(wanted)
    }
    return true
  }

  #peek(bytes: number): Buffer | undefined {
    if (this.#pendingBytes < bytes) return undefined
    const first = this.#pending[0]!
    if (first.byteLength >= bytes) return first
    this.#pending = [Buffer.concat(this.#pending)]
    return this.#pending[0]
  }

  #drop(bytes: number): void {
    this.#pendingBytes -= bytes
    for (let left = bytes; left > 0;) {
      const first = this.#pending[0]!
      if (first.byteLength > left) {
        this.#pending[0] = first.subarray(left)
        return
      }
      left -= first.byteLength
      this.#pending.shift()
    }
  }
}

/** Writes typed arrays as a reference to their place in the list of buffers, and long lists of texts in one piece. */
class FrameWriter extends Serializer {
  readonly arrays: ArrayBufferView[] = []
  readonly #lists: ReadonlyMap<ArrayBufferView, readonly string[]>

  constructor(lists: ReadonlyMap<ArrayBufferView, readonly string[]>) {
    super()
    this.#lists = lists
    // Documented by Node as part of the class, and missing in its types.
    ;(
      this as unknown as { _setTreatArrayBufferViewsAsHostObjects(on: boolean): void }
    )._setTreatArrayBufferViewsAsHostObjects(true)
  }

  /** Called by V8 for each typed array. */
  _writeHostObject(view: ArrayBufferView): void {
    const list = this.#lists.get(view)
    if (list) return this.#writeTexts(list)
    const type = views.findIndex((constructor) => view instanceof constructor)
    if (type < 0) throw new TypeError(`${Object.prototype.toString.call(view)} could not be cloned`)
    this.writeUint32(type)
    this.writeUint32(this.arrays.push(view) - 1)
  }

  #writeTexts(list: readonly string[]): void {
    const { width, lengths, characters } = packTexts(list)
    for (const number of [textList, lengths.length, width, characters.byteLength]) this.writeUint32(number)
    this.writeRawBytes(lengths)
    this.writeRawBytes(characters)
  }
}

class FrameReader extends Deserializer {
  readonly #buffers: readonly ArrayBuffer[]

  constructor(structure: Buffer, buffers: readonly ArrayBuffer[]) {
    super(structure)
    this.#buffers = buffers
  }

  /** Called by V8 for each typed array and each list that was written in its place. */
  _readHostObject(): ArrayBufferView | string[] {
    const kind = this.readUint32()
    if (kind === textList) return this.#readTexts()
    const constructor = views[kind] as ViewConstructor | undefined
    const buffer = this.#buffers[this.readUint32()]
    if (!constructor || !buffer) throw new TypeError('A message names a typed array that is not in it')
    return new constructor(buffer)
  }

  #readTexts(): string[] {
    const [count, width, bytes] = [this.readUint32(), this.readUint32(), this.readUint32()]
    // Read before memory is set aside for as many as somebody says.
    const raw = this.readRawBytes(count * Uint32Array.BYTES_PER_ELEMENT)
    const lengths = new Uint32Array(count)
    Buffer.from(lengths.buffer).set(raw)
    return unpackTexts({ width: width === 1 ? 1 : 2, lengths, characters: this.readRawBytes(bytes) })
  }
}

/** The bytes of `view`; moved rather than copied when nobody else can hold a part of its buffer. */
function take(view: ArrayBufferView): Uint8Array {
  const { buffer, byteOffset, byteLength } = view
  const movable = buffer instanceof ArrayBuffer && !buffer.detached && byteLength === buffer.byteLength
  if (!movable) return new Uint8Array(buffer, byteOffset, byteLength).slice()
  try {
    return new Uint8Array(buffer.transfer())
  } catch {
    return new Uint8Array(buffer).slice() // memory of WebAssembly and the like may not leave
  }
}

function tooLarge(what: string, size: number, limit: number, unit = 'bytes'): AppError {
  return new AppError(
    'bug',
    'E_MESSAGE_TOO_LARGE',
    `A message holds ${size} ${unit} in ${what}; ${limit} are allowed`,
    {
      hint: 'Send less at once, or numbers as typed arrays.',
    },
  )
}
