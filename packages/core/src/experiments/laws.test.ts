import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anytime } from './anytime.ts'
import { assignArm, expectedShares, HOLDOUT } from './assignment.ts'
import {
  adjustByBefore,
  compareByNormal,
  compareMeans,
  compareProportions,
  type Moments,
  ratioSample,
  sampleOf,
  wilson,
} from './compare.ts'
import { checkSampleRatio, holm } from './many.ts'
import { type Baseline, planDifference, planPower, planSize } from './planner.ts'

const counts = fc
  .tuple(fc.integer({ min: 1, max: 5_000 }), fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([n, share]) => ({ n, successes: Math.round(n * share) }))
const p = fc.double({ min: 0, max: 1, noNaN: true })

describe('assignment', () => {
  const experiment = (id: string, holdoutPercent = 10) => ({
    id,
    holdoutPercent,
    arms: [
      { key: 'control', weight: 1 },
      { key: 'gift', weight: 2 },
      { key: 'letter', weight: 0 },
    ],
  })
  const customers = Array.from({ length: 6_000 }, (_, index) => index + 1)
  const tally = (keys: string[]) => Map.groupBy(keys, (key) => key)

  test('is stable and knows only the arms that have weight', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), (id, customer) => {
        const arm = assignArm(experiment(id), customer)
        expect(assignArm(experiment(id), customer)).toBe(arm)
        expect(['control', 'gift', HOLDOUT]).toContain(arm)
      }),
    )
  })

  test('has the proportions it is told to have', () => {
    const shares = expectedShares(experiment('a'))
    const found = tally(customers.map((customer) => assignArm(experiment('a'), customer)))
    const arms = [...shares].filter(([, share]) => share > 0)
    const ratio = checkSampleRatio(
      arms.map(([key, share]) => ({ customers: found.get(key)?.length ?? 0, share })),
    )
    expect(ratio.p).toBeGreaterThan(0.01)
  })

  test('of one experiment says nothing about that of another', () => {
    const found = tally(
      customers.map(
        (customer) => `${assignArm(experiment('a'), customer)} ${assignArm(experiment('b'), customer)}`,
      ),
    )
    const shares = [...expectedShares(experiment('a'))].filter(([, share]) => share > 0)
    const cells = shares.flatMap(([one, first]) =>
      shares.map(([two, second]) => ({
        customers: found.get(`${one} ${two}`)?.length ?? 0,
        share: first * second,
      })),
    )
    expect(cells).toHaveLength(9)
    expect(checkSampleRatio(cells).p).toBeGreaterThan(0.01)
  })

  test('under a larger hold-out moves nobody between arms', () => {
    const moved = customers.slice(0, 2_000).filter((customer) => {
      const [before, after] = [10, 40].map((percent) => assignArm(experiment('a', percent), customer))
      return after !== HOLDOUT && after !== before
    })
    expect(moved).toEqual([])
  })
})

describe('intervals', () => {
  test('hold their estimate and turn round with the question', () => {
    fc.assert(
      fc.property(counts, counts, (a, b) => {
        const [there, back] = [compareProportions(a, b), compareProportions(b, a)]
        expect(there.low).toBeLessThanOrEqual(there.estimate + 1e-12)
        expect(there.high).toBeGreaterThanOrEqual(there.estimate - 1e-12)
        expect(there.low).toBeGreaterThanOrEqual(-1 - 1e-12)
        expect(there.high).toBeLessThanOrEqual(1 + 1e-12)
        expect(back.low).toBeCloseTo(-there.high, 10)
        expect(back.p).toBeCloseTo(there.p, 10)
        const own = wilson(a.successes, a.n)
        expect(own.low).toBeLessThanOrEqual(a.successes / a.n)
        expect(own.high).toBeGreaterThanOrEqual(a.successes / a.n)
      }),
    )
  })

  test('for those who peek are wider than for those who wait, and agree with their p value', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -6, max: 6, noNaN: true }),
        fc.integer({ min: 200, max: 1_000_000 }),
        fc.integer({ min: 200, max: 1_000_000 }),
        (z, customers, planned) => {
          const found = anytime({ estimate: z, error: 1 }, customers, { planned })
          expect(found.high - z).toBeGreaterThan(1.96)
          if (Math.abs(found.p - 0.05) > 1e-9) expect(found.p < 0.05).toBe(found.low > 0 || found.high < 0)
        },
      ),
    )
  })
})

describe('figures of customers', () => {
  const customers = fc.array(fc.tuple(fc.integer({ min: 0, max: 90 }), fc.integer({ min: 1, max: 9 })), {
    minLength: 3,
    maxLength: 30,
  })

  test('that say nothing about the past stay as they are under CUPED; what the past says whole is taken out', () => {
    fc.assert(
      fc.property(customers, customers, (a, b) => {
        const silent = [a, b].map((arm) => momentsOf(arm.map(([y]) => [y, 4])))
        expect(adjustByBefore(silent)).toEqual(silent.map(sampleOf))
        const whole = [a, b].map((arm) => momentsOf(arm.map(([y]) => [y, 2 * y + 1])))
        const [first, second] = adjustByBefore(whole)
        expect(first!.mean).toBeCloseTo(second!.mean, 6)
        expect(first!.variance).toBeCloseTo(0, 6)
      }),
    )
  })

  test('over one each are a mean, and double with the figure', () => {
    fc.assert(
      fc.property(customers, (arm) => {
        const plain = sampleOf(momentsOf(arm))
        const ratio = ratioSample(momentsOf(arm.map(([y]) => [y, 1])))
        expect(ratio.mean).toBeCloseTo(plain.mean, 8)
        expect(ratio.variance).toBeCloseTo(plain.variance, 6)
        const doubled = ratioSample(momentsOf(arm.map(([y, x]) => [2 * y, x])))
        expect(doubled.mean).toBeCloseTo(2 * ratioSample(momentsOf(arm)).mean, 8)
      }),
    )
  })

  test('of the same kind in both arms come to no difference', () => {
    fc.assert(
      fc.property(customers, (arm) => {
        const sample = sampleOf(momentsOf(arm))
        expect(compareMeans(sample, sample)).toMatchObject({ estimate: 0, p: 1 })
        expect(compareByNormal(sample, sample)).toMatchObject({ estimate: 0, p: 1 })
      }),
    )
  })
})

test('Holm never makes a p smaller, keeps their order, and leaves a single one alone', () => {
  fc.assert(
    fc.property(fc.array(p, { minLength: 1, maxLength: 6 }), (ps) => {
      const corrected = holm(ps)
      for (const [index, value] of corrected.entries()) {
        expect(value).toBeGreaterThanOrEqual(ps[index]!)
        expect(value).toBeLessThanOrEqual(Math.min(1, ps[index]! * ps.length + Math.max(...corrected)))
        for (const [other, against] of ps.entries()) {
          if (against < ps[index]!) expect(corrected[other]).toBeLessThanOrEqual(value)
        }
      }
      expect(holm([ps[0]!])).toEqual([ps[0]])
    }),
  )
})

test('a plan reaches its power, one customer fewer does not, and the way back leads to the difference', () => {
  const baselines = fc.oneof(
    fc.double({ min: 0.01, max: 0.5, noNaN: true }).map((rate): Baseline => ({ rate })),
    fc.double({ min: 0.1, max: 50, noNaN: true }).map((deviation): Baseline => ({ mean: 10, deviation })),
  )
  fc.assert(
    fc.property(
      fc.record({
        baseline: baselines,
        difference: fc.double({ min: 0.02, max: 0.4, noNaN: true }),
        power: fc.constantFrom(0.5, 0.8, 0.95),
        ratio: fc.constantFrom(0.5, 1, 9),
        peeking: fc.boolean(),
      }),
      ({ baseline, difference, power, ratio, peeking }) => {
        const options = { baseline, ratio, peeking }
        const size = planSize(difference, power, options)
        expect(planPower(difference, size, options)).toBeGreaterThanOrEqual(power - 1e-9)
        if (size <= 4) return
        expect(planPower(difference, size - 1, options)).toBeLessThan(power + 1e-9)
        expect(planDifference(size, power, options)).toBeLessThanOrEqual(difference * (1 + 1e-7))
        expect(planSize(difference, power, { ...options, peeking: true })).toBeGreaterThanOrEqual(size)
      },
    ),
    { numRuns: 40 },
  )
})

function momentsOf(customers: readonly (readonly [number, number])[]): Moments {
  const sum = (of: (y: number, x: number) => number) =>
    customers.reduce((total, [y, x]) => total + of(y, x), 0)
  return {
    n: customers.length,
    y: sum((y) => y),
    yy: sum((y) => y * y),
    x: sum((_, x) => x),
    xx: sum((_, x) => x * x),
    xy: sum((y, x) => x * y),
  }
}
