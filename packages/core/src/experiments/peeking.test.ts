import { expect, test } from 'vitest'
import { ANYTIME_FROM, anytime, cautiousError } from './anytime.ts'
import { compareByNormal, type Sample, sampleOf } from './compare.ts'

const RUNS = 300
const LOOKS = 40
const BETWEEN = 100

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
function falseAlarms(
  spend: (random: () => number) => number,
  heldOut: number,
): { waiting: number; peeking: number } {
  const random = createRandom(20_261_121)
  let [waiting, peeking] = [0, 0]
  for (let run = 0; run < RUNS; run++) {
    const sums = [
      { n: 0, y: 0, yy: 0 },
      { n: 0, y: 0, yy: 0 },
    ]
    let [fooled, warned] = [false, false]
    for (let look = 0; look < LOOKS; look++) {
      for (const [index, arm] of sums.entries()) {
        const customers = BETWEEN * (index === 0 ? 1 - heldOut : heldOut)
        for (let customer = 0; customer < customers; customer++) {
          const value = spend(random)
          arm.n++
          arm.y += value
          arm.yy += value * value
        }
      }
      const [a, b] = sums.map((arm) => sampleOf(arm)) as [Sample, Sample]
      if (b.n < ANYTIME_FROM) continue
      const compared = compareByNormal(a, b)
      if (compared.p < 0.05) fooled = true
      const error = cautiousError(a, b)
      if (anytime({ estimate: compared.estimate, error }, a.n + b.n, { planned: LOOKS * BETWEEN }).p < 0.05)
        warned = true
    }
    if (fooled) waiting++
    if (warned) peeking++
  }
  return { waiting: waiting / RUNS, peeking: peeking / RUNS }
}

test.each([
  ['a tenth converts, half held out', 0.5, (random: () => number) => (random() < 0.1 ? 1 : 0)],
  ['one in a hundred converts, a tenth held out', 0.1, (random: () => number) => (random() < 0.01 ? 1 : 0)],
  [
    'few spend, some of them much, a tenth held out',
    0.1,
    (random: () => number) => (random() < 0.2 ? (1 - random()) ** -0.4 : 0),
  ],
])('who looks forty times is fooled no more often than promised: %s', (_, heldOut, spend) => {
  const { waiting, peeking } = falseAlarms(spend, heldOut)
  // The ordinary test, looked at that often, is wrong several times as often as it says.
  expect(waiting).toBeGreaterThan(0.15)
  expect(peeking).toBeLessThanOrEqual(0.05)
})
