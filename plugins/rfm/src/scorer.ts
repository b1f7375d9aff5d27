import type { Huitou, NumberVector, Scorer, Segmenter, TextVector } from '@huitou/plugin-api'
import { pickPurchases, toBuyers } from './buyers.ts'
import { resolveReference } from './reference.ts'
import { scoreBuyers } from './score.ts'
import type { Scores } from './score.ts'
import { assignSegments } from './segments.ts'
import { minorPerMajor, readSettings } from './settings.ts'

/** Scores all customers who bought; the others have no score. */
export function createScorer(huitou: Huitou): Scorer {
  return {
    score(batch, { now }) {
      const settings = readSettings(huitou.settings)
      const { timeZone, currency } = huitou.brand
      const columns = {
        lastOrderAt: 'commerce_last_order_at',
        orders: 'commerce_orders',
        spend: `commerce_${settings.monetary}`,
      }
      const purchases = pickPurchases(batch, columns, timeZone)
      const reference = resolveReference(settings.reference, purchases.newestDay, now, timeZone)
      const buyers = toBuyers(purchases, reference.day)
      const { r, f, m } = scoreBuyers(buyers, settings, minorPerMajor(currency))
      const spread = (values: ArrayLike<number>) => spreadRows(values, purchases.rows, batch.ids.length)
      return {
        recency_days: spread(buyers.recencyDays),
        r: spread(r),
        f: spread(f),
        m: spread(m),
        cell: cells({ r, f, m }, purchases.rows, batch.ids.length),
      }
    },
  }
}

/** Names the segment of every customer with scores. */
export function createSegmenter(huitou: Huitou): Segmenter {
  return {
    assign(batch) {
      const scores = (name: string) => {
        const vector = batch.columns[`rfm_${name}`]
        return vector?.kind === 'number' ? vector.values : new Float64Array(batch.ids.length).fill(Number.NaN)
      }
      const { scheme } = readSettings(huitou.settings)
      return assignSegments(scheme, { r: scores('r'), f: scores('f'), m: scores('m') })
    },
  }
}

function spreadRows(values: ArrayLike<number>, rows: Int32Array, length: number): NumberVector {
  const spread = new Float64Array(length).fill(Number.NaN)
  for (let index = 0; index < rows.length; index++) spread[rows[index]!] = values[index]!
  return { kind: 'number', values: spread }
}

/** `545` and the like; with so few different ones they are counted out, not collected. */
function cells({ r, f, m }: Scores, rows: Int32Array, length: number): TextVector {
  const dictionary: string[] = []
  for (let cell = 0; cell < 125; cell++)
    dictionary.push(`${Math.floor(cell / 25) + 1}${(Math.floor(cell / 5) % 5) + 1}${(cell % 5) + 1}`)
  const indexes = new Int32Array(length).fill(-1)
  for (let index = 0; index < rows.length; index++) {
    indexes[rows[index]!] = (r[index]! - 1) * 25 + (f[index]! - 1) * 5 + m[index]! - 1
  }
  return { kind: 'text', dictionary, indexes }
}
