import { expect, test } from 'vitest'
import { createPluginFolder } from '../test/fixture-plugins.ts'
import { encodeFrame, FrameAssembler, setPlace } from './frame.ts'
import { createPluginHost } from './host.ts'
import { createScratchPair, Scratch } from './scratch.ts'

const hasScratch = createScratchPair() !== undefined
const large = (fill: number) => new Uint8Array(200_000).fill(fill)

test.skipIf(!hasScratch)('one body lies in a file at a time, and the next follows once it was taken', () => {
  const pair = createScratchPair()!
  using own = pair.own
  using theirs = new Scratch(pair.theirs[1], pair.theirs[0])
  expect(own.put([large(1), large(2)])).toBe(true)
  expect(own.put([large(3)])).toBe(false)
  const parts = [new Uint8Array(200_000), new Uint8Array(200_000)]
  theirs.take(parts)
  expect(parts.map(([first]) => first)).toEqual([1, 2])
  own.release()
  expect(own.put([new Uint8Array(10)])).toBe(false)
  expect(own.put([large(4)])).toBe(true)
  expect(theirs.put([large(5)])).toBe(true)
  expect(own.heldBytes()).toBeGreaterThanOrEqual(200_000)
  expect(() => theirs.take([new Uint8Array(900_000)])).toThrow('shorter than it says')
})

test('a message that says it lies where nothing is, or nobody can look, is refused', () => {
  const { header } = encodeFrame({ type: 'answer', id: 1, value: large(1) }, { structure: 1e6, binary: 1e6 })
  const assembler = new FrameAssembler({ structure: 1e6, binary: 1e6 })
  assembler.push(setPlace(header, 'scratch'))
  expect(() => assembler.next()).toThrow('unknown place')
  header.writeUInt32LE(77, 12)
  const other = new FrameAssembler(
    { structure: 1e6, binary: 1e6 },
    { take: () => expect.unreachable(), release: () => expect.unreachable() },
  )
  other.push(header)
  expect(() => other.next()).toThrow('unknown place')
})

test('large batches go to a process and come back whole, several at once', async () => {
  await using folder = await createPluginFolder()
  const dir = await folder.write(
    'adds',
    `huitou.scorers.register('score', {
      async score({ ids, key }) {
        return { sum: { kind: 'number', values: ids.map((id) => id + key.dictionary.length) }, key }
      },
    })`,
  )
  await using host = await createPluginHost({
    plugins: [{ dir, trusted: false, enabled: true }],
    brand: { currency: 'CNY', timeZone: 'Asia/Shanghai', locale: 'zh-CN' },
    effects: () => undefined,
  })
  const rows = 50_000
  const dictionary = Array.from({ length: rows }, (_, row) => `客户 ${row}`)
  const call = async (offset: number) => {
    const batch = { ids: Float64Array.from(dictionary, (_, row) => row + offset), key: { dictionary } }
    return (await host.call('test.adds', 'scorers', 'score', 'score', [batch])) as {
      sum: { values: Float64Array }
      key: { dictionary: string[] }
    }
  }
  for (const offset of [0, 10]) {
    const answers = await Promise.all([call(offset), call(offset + 1), call(offset + 2)])
    expect(answers.map(({ sum }) => [sum.values[0], sum.values.at(-1)])).toEqual(
      [0, 1, 2].map((more) => [rows + offset + more, 2 * rows + offset + more - 1]),
    )
    expect(answers[2]!.key.dictionary).toEqual(dictionary)
  }
})
