import { expect, test } from 'vitest'
import { QueryTurns } from './query-turns.ts'

function openWork() {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { work: () => promise, end: resolve }
}
const tick = () => new Promise((resolve) => void setImmediate(resolve))

test('a plugin runs one query at a time, however many it has, and others run beside it', async () => {
  const turns = new QueryTurns(2)
  const order: string[] = []
  const works = new Map<string, () => void>()
  const ask = (plugin: string, name: string) =>
    turns.take(plugin, () => {
      order.push(name)
      const { promise, resolve } = Promise.withResolvers<void>()
      works.set(name, resolve)
      return promise
    })
  const all = [ask('a', 'a1'), ask('a', 'a2'), ask('b', 'b1'), ask('c', 'c1')]
  await tick()
  expect(order).toEqual(['a1', 'b1'])
  works.get('b1')?.()
  await tick()
  // The second of `a` still waits for the first, not for its place in the line.
  expect(order).toEqual(['a1', 'b1', 'c1'])
  works.get('a1')?.()
  await tick()
  expect(order).toEqual(['a1', 'b1', 'c1', 'a2'])
  works.get('a2')?.()
  works.get('c1')?.()
  await Promise.all(all)
})

test('a query that fails gives its place back', async () => {
  const turns = new QueryTurns(1)
  await expect(turns.take('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await turns.take('a', async () => 1)).toBe(1)
})

test('too many that wait are refused', async () => {
  const turns = new QueryTurns(1)
  const { work, end } = openWork()
  const waiting = Array.from({ length: 51 }, () => turns.take('a', work))
  await tick()
  await expect(turns.take('a', work)).rejects.toMatchObject({ code: 'E_QUERY_BUSY', status: 429 })
  end()
  await Promise.all(waiting)
})
