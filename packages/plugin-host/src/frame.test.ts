import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeFrame, encodeFrame, FrameAssembler } from './frame.ts'
import type { Message } from './peer.ts'

const limits = { structure: 1_000_000, binary: 1_000_000 }

/** Sends `messages` in pieces of the given sizes and answers what arrives. */
function carry(messages: Message[], pieces: number[]): unknown[] {
  const bytes = Buffer.concat(
    messages.flatMap((message) => {
      const { header, body } = encodeFrame(message, limits)
      return [header, ...body]
    }),
  )
  const assembler = new FrameAssembler(limits)
  const arrived: unknown[] = []
  for (let at = 0, piece = 0; at < bytes.length; piece++) {
    const size = pieces[piece % pieces.length] ?? 1
    assembler.push(bytes.subarray(at, at + size))
    at += size
    for (let frame = assembler.next(); frame; frame = assembler.next()) arrived.push(decodeFrame(frame))
  }
  return arrived
}

const answer = (value: unknown): Message => ({ type: 'answer', id: 7, value })

test('messages arrive as they left, however the bytes are cut', () => {
  const value = fc.anything({
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withBigInt: true,
  })
  fc.assert(
    fc.property(
      fc.array(value, { maxLength: 4 }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
      (values, pieces) => {
        const messages = values.map(answer)
        const expected = structuredClone(messages)
        expect(carry(messages, pieces)).toEqual(expected)
      },
    ),
  )
})

test('each typed array gets memory of its own, and a part of a larger buffer takes nothing along', () => {
  const whole = new Float64Array([1, 2, 3, 4])
  const part = whole.subarray(1, 3)
  const [{ value }] = carry([answer({ part, empty: new Int16Array(0) })], [3]) as [
    { value: { part: Float64Array; empty: Int16Array } },
  ]
  expect([...value.part]).toEqual([2, 3])
  expect(value.part.buffer.byteLength).toBe(16)
  expect(value.empty).toEqual(new Int16Array(0))
  expect([...whole]).toEqual([1, 2, 3, 4])
})

test('an array that has its buffer to itself is moved, not copied', () => {
  const moved = new Float64Array(1_000)
  encodeFrame(answer(moved), limits)
  expect(moved.byteLength).toBe(0)
})

test('what is too large does not leave', () => {
  const small = { structure: 100, binary: 100 }
  const code = { code: 'E_MESSAGE_TOO_LARGE' }
  expect(() => encodeFrame(answer('x'.repeat(200)), small)).toThrow(expect.objectContaining(code) as Error)
  expect(() => encodeFrame(answer(new Uint8Array(200)), small)).toThrow(
    expect.objectContaining(code) as Error,
  )
  expect(encodeFrame(answer(new Uint8Array(90)), small).body).toHaveLength(2)
})

test('whatever bytes arrive, they are a message, wait for more, or are refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const assembler = new FrameAssembler({ structure: 150, binary: 150 })
      assembler.push(Buffer.from(bytes))
      try {
        for (let frame = assembler.next(); frame; frame = assembler.next()) decodeFrame(frame)
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
      }
    }),
  )
})

test('a claim of more than is allowed is refused before anything is set aside for it', () => {
  for (const [structure, count] of [
    [0xffffffff, 0],
    [0, 0xffffffff],
  ] as const) {
    const header = Buffer.alloc(16)
    header.writeUInt32LE(structure, 0)
    header.writeUInt32LE(count, 4)
    const assembler = new FrameAssembler(limits)
    assembler.push(header)
    expect(() => assembler.next()).toThrow(expect.objectContaining({ code: 'E_MESSAGE_TOO_LARGE' }) as Error)
  }
})
