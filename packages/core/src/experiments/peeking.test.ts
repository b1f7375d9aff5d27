import { expect, test } from 'vitest'
import { ANYTIME_FROM, anytime } from './anytime.ts'
import { compareByNormal, type Sample, sampleOf } from './compare.ts'

const RUNS = 300
const LOOKS = 40
const BETWEEN = 50

/** Evenly spread numbers between 0 and 1, the same at every run (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** How often two arms that are the same were called different at one look at least. */
function falseAlarms(spend: (random: () => number) => number): { waiting: number; peeking: number } {
  const random = createRandom(20_261_121)
  let [waiting, peeking] = [0, 0]
  for (let run = 0; run < RUNS; run++) {
    const sums = [
      { n: 0, y: 0, yy: 0 },
      { n: 0, y: 0, yy: 0 },
    ]
    let [fooled, warned] = [false, false]
    for (let look = 0; look < LOOKS; look++) {
      for (const arm of sums) {
        for (let customer = 0; customer < BETWEEN; customer++) {
          const value = spend(random)
          arm.n++
          arm.y += value
          arm.yy += value * value
        }
      }
      const [a, b] = sums.map((arm) => sampleOf(arm)) as [Sample, Sample]
      if (a.n < ANYTIME_FROM) continue
      const compared = compareByNormal(a, b)
      if (compared.p < 0.05) fooled = true
      if (anytime(compared, a.n + b.n, { planned: LOOKS * BETWEEN * 2 }).p < 0.05) warned = true
    }
    if (fooled) waiting++
    if (warned) peeking++
  }
  return { waiting: waiting / RUNS, peeking: peeking / RUNS }
}

test.each([
  ['a tenth of customers converts', (random: () => number) => (random() < 0.1 ? 1 : 0)],
  ['few spend, some of them much', (random: () => number) => (random() < 0.2 ? -Math.log(1 - random()) : 0)],
])('who looks forty times is fooled no more often than promised: %s', (_, spend) => {
  const { waiting, peeking } = falseAlarms(spend)
  // The ordinary test, looked at that often, is wrong several times as often as it says.
  expect(waiting).toBeGreaterThan(0.2)
  expect(peeking).toBeLessThanOrEqual(0.05)
})
