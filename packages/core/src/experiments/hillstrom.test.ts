import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import { describe, expect, test } from 'vitest'
import { compareMeans, compareProportions, sampleOf } from './compare.ts'
import { checkSampleRatio } from './many.ts'

const folder = path.resolve(import.meta.dirname, '../../../../../shared/data')
const hasData = existsSync(path.join(folder, 'hillstrom'))

interface Customer {
  segment: string
  visit: string
  conversion: string
  spend: string
}

const near = (value: number) => expect.closeTo(value, 7) as number

describe.skipIf(!hasData)('Hillstrom’s e-mails (MineThatData, half of the customers)', () => {
  const { public_half: expected } = hasData
    ? JSON.parse(readFileSync(path.join(folder, 'expected/hillstrom_public_half.json'), 'utf8'))
    : {}
  const table = hasData
    ? parse<Customer>(gunzipSync(readFileSync(path.join(folder, 'hillstrom/hillstrom_public.csv.gz'))), {
        columns: true,
      })
    : []
  const arms = Map.groupBy(table, ({ segment }) => segment)
  const figures = (arm: string, column: 'visit' | 'conversion' | 'spend') =>
    (arms.get(arm) ?? []).map((customer) => Number(customer[column]))
  const successes = (arm: string, column: 'visit' | 'conversion') => {
    const all = figures(arm, column)
    return { successes: all.filter(Boolean).length, n: all.length }
  }
  const spend = (arm: string) => {
    const all = figures(arm, 'spend')
    const sum = (of: (value: number) => number) => all.reduce((total, value) => total + of(value), 0)
    return sampleOf({ n: all.length, y: sum((value) => value), yy: sum((value) => value * value) })
  }

  test('the arms are what was published, and dealt fairly', () => {
    for (const arm of ['Mens E-Mail', 'Womens E-Mail', 'No E-Mail']) {
      const { n, visits, conversions, spend_mean, spend_sd } = expected.arms[arm]
      expect(successes(arm, 'visit')).toEqual({ n, successes: visits })
      expect(successes(arm, 'conversion')).toEqual({ n, successes: conversions })
      expect(spend(arm).mean).toBeCloseTo(spend_mean, 8)
      expect(Math.sqrt(spend(arm).variance)).toBeCloseTo(spend_sd, 6)
    }
    const ratio = checkSampleRatio(
      [...arms.values()].map(({ length }) => ({ customers: length, share: 1 / 3 })),
    )
    expect(ratio.p).toBeCloseTo(expected.srm_chi2_p, 9)
  })

  test.each(['Mens E-Mail', 'Womens E-Mail'])('%s against none', (arm) => {
    for (const column of ['visit', 'conversion'] as const) {
      const published = expected.vs_control[arm][column]
      const { estimate, statistic, p, wald } = compareProportions(
        successes(arm, column),
        successes('No E-Mail', column),
      )
      expect(estimate).toBeCloseTo(published.lift_abs, 10)
      expect(statistic).toBeCloseTo(published.z_pooled, 7)
      expect(p / published.p_two_sided).toBeCloseTo(1, 8)
      expect(wald).toEqual({
        low: near(published.ci95_abs_unpooled[0]),
        high: near(published.ci95_abs_unpooled[1]),
      })
    }
    const published = expected.vs_control[arm].spend
    const { estimate, statistic, p, low, high } = compareMeans(spend(arm), spend('No E-Mail'))
    expect(estimate).toBeCloseTo(published.lift_abs, 9)
    expect(statistic).toBeCloseTo(published.t_welch, 7)
    expect(p / published.p_two_sided).toBeCloseTo(1, 7)
    expect([low, high]).toEqual(published.ci95_abs_welch.map(near))
  })
})
