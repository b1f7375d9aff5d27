import fc from 'fast-check'
import { expect, test } from 'vitest'
import { answerBisect, startBisect } from './bisect.ts'
import type { Bisect, Dependencies } from './bisect.ts'

/** Answers each step the way somebody would who sees the problem whenever `isBad`. */
function search(
  plugins: string[],
  isBad: (enabled: readonly string[]) => boolean,
  dependencies: Dependencies = {},
): Bisect & { answers: number } {
  let bisect = startBisect(plugins)
  let answers = 0
  for (; bisect.state === 'searching'; answers++) {
    if (answers > 100) throw new Error('it does not end')
    bisect = answerBisect(bisect, isBad(bisect.enabled) ? 'bad' : 'good', dependencies)
  }
  return { ...bisect, answers }
}

const names = (count: number) => Array.from({ length: count }, (_, index) => `p${index}`)

test('the plugin behind a problem is found in about as many steps as halving takes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.nat(), (count, pick) => {
      const culprit = `p${pick % count}`
      const found = search(names(count), (enabled) => enabled.includes(culprit))
      expect(found).toMatchObject({ state: 'found', culprit })
      expect(found.answers).toBeLessThanOrEqual(startBisect(names(count)).left)
    }),
  )
})

test('plugins that need others are searched together with what they need, and it is found all the same', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 25 }),
      fc.nat(),
      fc.array(fc.tuple(fc.nat(), fc.nat())),
      (count, pick, edges) => {
        const dependencies: Record<string, string[]> = {}
        for (const [a, b] of edges) {
          const [from, to] = [a % count, b % count]
          if (from > to) (dependencies[`p${from}`] ??= []).push(`p${to}`)
        }
        const culprit = `p${pick % count}`
        const found = search(names(count), (enabled) => enabled.includes(culprit), dependencies)
        expect(found).toMatchObject({ state: 'found', culprit })
      },
    ),
  )
})

test('in each step everything that an enabled plugin needs is enabled too', () => {
  const dependencies = { a: ['b'], b: ['c'], d: ['c'] }
  let bisect = startBisect(['a', 'b', 'c', 'd', 'e'])
  while (bisect.state === 'searching') {
    for (const id of bisect.enabled) {
      for (const needed of dependencies[id as 'a'] ?? []) expect(bisect.enabled).toContain(needed)
    }
    bisect = answerBisect(bisect, bisect.enabled.includes('c') ? 'bad' : 'good', dependencies)
  }
  expect(bisect.culprit).toBe('c')
})

test('a problem that stays without any plugin is none of theirs', () => {
  expect(search(names(8), () => true)).toMatchObject({ state: 'not-a-plugin', culprit: null, answers: 1 })
  expect(search([], () => false)).toMatchObject({ state: 'not-a-plugin' })
})

test('a problem that needs two plugins is not blamed on one', () => {
  const both = (enabled: readonly string[]) => enabled.includes('p0') && enabled.includes('p7')
  expect(search(names(8), both)).toMatchObject({ state: 'together', culprit: null })
})

test('a search is plain data and can go on after it was stored', () => {
  const stored = JSON.parse(JSON.stringify(answerBisect(startBisect(names(4)), 'good'))) as Bisect
  expect(answerBisect(stored, 'bad').suspects).toHaveLength(2)
})
