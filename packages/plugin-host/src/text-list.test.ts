import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeFrame, encodeFrame, FrameAssembler } from './frame.ts'
import type { Message } from './peer.ts'
import { markTextLists } from './text-list.ts'

const limits = { structure: 8_000_000, binary: 1_000_000 }

function carry(value: unknown): unknown {
  const message: Message = { type: 'answer', id: 7, value }
  const { header, body } = encodeFrame(message, limits)
  const assembler = new FrameAssembler(limits)
  assembler.push(Buffer.concat([header, ...body]))
  return (decodeFrame(assembler.next()!) as { value: unknown }).value
}

const many = (text: (index: number) => unknown) => Array.from({ length: 600 }, (_, index) => text(index))

test('long lists of texts arrive as they left, whatever the alphabet', () => {
  const text = fc.string({ unit: 'grapheme' })
  fc.assert(
    fc.property(fc.array(text, { minLength: 1 }), (few) => {
      const dictionary = many((index) => few[index % few.length])
      const { key } = carry({ key: { kind: 'text', dictionary } }) as { key: { dictionary: string[] } }
      // One comparison: looking at each of them apart takes a hundred times as long.
      expect(JSON.stringify(key.dictionary) === JSON.stringify(dictionary)).toBe(true)
    }),
    { numRuns: 50 },
  )
  expect(carry(many((index) => `half \ud800 ${index}`))).toEqual(many((index) => `half \ud800 ${index}`))
})

test('the list itself, and the message around it, stay what they are', () => {
  const list = many((index) => `é${index}`)
  const message = { list, other: { list } }
  expect(carry(message)).toEqual({ list, other: { list } })
  expect(message.list).toBe(list)
})

test.for([
  ['short', ['a', 'b']],
  ['mixed', many((index) => (index === 599 ? 599 : 'text'))],
  ['with holes', Object.assign(Array.from<string>({ length: 600 }), { 0: 'first' })],
] as const)('a list that is %s is carried item by item', ([, list]) => {
  expect(markTextLists({ list }).lists.size).toBe(0)
  expect(carry({ list })).toEqual({ list })
})

test('a list whose lengths are not those of its characters is refused', () => {
  const { header, body } = encodeFrame({ type: 'answer', id: 7, value: many(() => 'four') }, limits)
  const bytes = Buffer.concat(body)
  bytes[bytes.lastIndexOf(Buffer.from([4, 0, 0, 0, 4, 0, 0, 0]))] = 5
  const assembler = new FrameAssembler(limits)
  assembler.push(Buffer.concat([header, bytes]))
  expect(() => decodeFrame(assembler.next()!)).toThrow('other lengths')
})
