import { toNumberVector, valueAt } from '@huitou/plugin-api'
import type { Scorer } from '@huitou/plugin-api'
import type { Settings } from './index.ts'

const DAY = 86_400_000
/** So many orders are as good as any more. */
const MANY_ORDERS = 10

/** Half of the score is for the number of orders, half for how fresh the last one is. Nobody without an order has one. */
export function createScorer(settings: () => Settings): Scorer {
  return {
    score({ ids, columns }, { now }) {
      const number = (name: string, row: number) => {
        const column = columns[name]
        const value = column && valueAt(column, row)
        return typeof value === 'number' ? value : undefined
      }
      const { freshDays } = settings()
      const scores = Array.from(ids, (_, row) => {
        const orders = number('commerce_orders', row)
        const last = number('commerce_last_order_at', row)
        if (!orders || orders < 0 || last === undefined) return undefined
        const age = Math.max(0, now - last) / (freshDays * DAY)
        return Math.round(50 * Math.min(1, orders / MANY_ORDERS) + 50 * Math.max(0, 1 - age))
      })
      return { score: toNumberVector(scores) }
    },
  }
}
