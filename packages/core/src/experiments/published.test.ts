import { describe, expect, test } from 'vitest'
import { compareMeans, compareProportions, compareRelatively, wilson } from './compare.ts'
import { chiSquareAbove, normalQuantile, normalTails, studentReach, studentTails } from './distributions.ts'
import { checkSampleRatio, holm } from './many.ts'
import { planDifference, planPower, planSize } from './planner.ts'

describe('distributions', () => {
  test('agree with the tables of the NIST/SEMATECH handbook, 1.3.6.7', () => {
    expect(normalQuantile(0.975)).toBeCloseTo(1.96, 4)
    expect(normalTails(1.96)).toBeCloseTo(2 * (0.5 - 0.475), 4)
    expect(studentReach(0.05, 10)).toBeCloseTo(2.228, 3)
    expect(studentReach(0.01, 1)).toBeCloseTo(63.657, 3)
    expect(studentTails(2.086, 20)).toBeCloseTo(0.05, 4)
    expect(chiSquareAbove(3.841, 1)).toBeCloseTo(0.05, 4)
    expect(chiSquareAbove(18.307, 10)).toBeCloseTo(0.05, 4)
  })

  test('far out in the tails are small, then nothing', () => {
    expect(normalTails(17.45709232)).toBeCloseTo(3.0403e-68, 72)
    expect(normalTails(60)).toBe(0)
    expect(chiSquareAbove(9_000, 1)).toBe(0)
  })
})

describe('proportions', () => {
  test('one: Newcombe, Statistics in Medicine 17:857 (1998), table I, method 3', () => {
    const round = (low: number, high: number) => ({
      low: expect.closeTo(low, 4) as number,
      high: expect.closeTo(high, 4) as number,
    })
    expect(wilson(81, 263)).toEqual(round(0.2553, 0.3662))
    expect(wilson(15, 148)).toEqual(round(0.0624, 0.1605))
    expect(wilson(0, 20)).toEqual(round(0, 0.1611))
    expect(wilson(1, 29)).toEqual(round(0.0061, 0.1718))
  })

  test('two: Newcombe, Statistics in Medicine 17:873 (1998), table II, methods 1 and 10', () => {
    const first = compareProportions({ successes: 56, n: 70 }, { successes: 48, n: 80 })
    expect(first.low).toBeCloseTo(0.0524, 4)
    expect(first.high).toBeCloseTo(0.3339, 4)
    expect(first.wald.low).toBeCloseTo(0.0575, 4)
    expect(first.wald.high).toBeCloseTo(0.3425, 4)
    const second = compareProportions({ successes: 9, n: 10 }, { successes: 3, n: 10 })
    expect(second.low).toBeCloseTo(0.1705, 4)
    expect(second.high).toBeCloseTo(0.809, 4)
    const extreme = compareProportions({ successes: 10, n: 10 }, { successes: 0, n: 10 })
    expect(extreme.low).toBeCloseTo(0.6075, 4)
    expect(extreme.high).toBeCloseTo(1, 4)
  })

  test('two: aspirin and heart attacks, Agresti, An Introduction to Categorical Data Analysis, 2.2 and 2.3', () => {
    const [placebo, aspirin] = [
      { successes: 189, n: 11_034 },
      { successes: 104, n: 11_037 },
    ]
    const compared = compareProportions(placebo, aspirin)
    expect(compared.estimate).toBeCloseTo(0.0077, 4)
    expect(compared.wald.low).toBeCloseTo(0.005, 3)
    expect(compared.wald.high).toBeCloseTo(0.011, 3)
    expect(compared.error).toBeCloseTo(0.0015, 4)
    const [treated, control] = [placebo, aspirin].map(({ successes, n }) => {
      const mean = successes / n
      return { n, mean, variance: mean * (1 - mean) }
    })
    const relative = compareRelatively(treated!, control!)!
    expect(relative.estimate + 1).toBeCloseTo(1.82, 2)
    expect(relative.low + 1).toBeCloseTo(1.43, 2)
    expect(relative.high + 1).toBeCloseTo(2.31, 2)
  })
})

test('means: t.test(extra ~ group, data = sleep) in R', () => {
  const sample = (figures: number[]) => {
    const mean = figures.reduce((sum, figure) => sum + figure, 0) / figures.length
    const squares = figures.reduce((sum, figure) => sum + (figure - mean) ** 2, 0)
    return { n: figures.length, mean, variance: squares / (figures.length - 1) }
  }
  const compared = compareMeans(
    sample([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0, 2]),
    sample([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]),
  )
  expect(compared.statistic).toBeCloseTo(-1.8608, 4)
  expect(compared.df).toBeCloseTo(17.776, 3)
  expect(compared.p).toBeCloseTo(0.07939, 5)
  expect(compared.low).toBeCloseTo(-3.3654832, 7)
  expect(compared.high).toBeCloseTo(0.2054832, 7)
})

test('shares: chisq.test(c(89,37,30,28,2), p = c(40,20,20,15,5), rescale.p = TRUE) in R', () => {
  const shares = [0.4, 0.2, 0.2, 0.15, 0.05]
  const found = checkSampleRatio(
    [89, 37, 30, 28, 2].map((customers, index) => ({ customers, share: shares[index]! })),
  )
  expect(found.chiSquare).toBeCloseTo(9.9901, 4)
  expect(found).toMatchObject({ df: 4, alarm: false })
  expect(found.p).toBeCloseTo(0.04059, 5)
})

test('shares: 821,588 against 815,482, Kohavi, Tang and Xu, Trustworthy Online Controlled Experiments, 3', () => {
  const found = checkSampleRatio([
    { customers: 821_588, share: 0.5 },
    { customers: 815_482, share: 0.5 },
  ])
  expect(found.p).toBeCloseTo(1.8e-6, 7)
  expect(found.alarm).toBe(true)
})

test('several questions: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") in R', () => {
  expect(holm([0.01, 0.04, 0.03, 0.005])).toEqual([0.03, 0.06, 0.06, 0.02])
})

describe('planning', () => {
  test('proportions: the examples of power.prop.test in R', () => {
    const baseline = { rate: 0.5 }
    expect(planPower(0.25, 50, { baseline })).toBeCloseTo(0.7401659, 6)
    // R says 76.7; nobody is a part of a customer.
    expect(planSize(0.25, 0.9, { baseline })).toBe(77)
    // power.prop.test(n = 50, p1 = .5, power = .90): p2 = 0.8026
    expect(planDifference(50, 0.9, { baseline })).toBeCloseTo(0.3026, 4)
  })

  test('means: the shop of Kohavi, Longbotham, Sommerfield and Henne, DMKD 18 (2009), 3.2', () => {
    // They round 2 (1.96 + 0.84)² = 15.7 up to 16 and get 409,000.
    const size = planSize(3.75 * 0.05, 0.8, { baseline: { mean: 3.75, deviation: 30 } })
    expect((size * 16) / 15.698).toBeCloseTo(409_600, -2)
  })
})
