import { valueAt } from '@huitou/plugin-api'
import type { ColumnBatch } from '@huitou/plugin-api'
import { toBusinessDays } from './business-days.ts'
import type { Buyers } from './score.ts'

/** Customers with orders, taken out of all, before it is known from which day to count recency. */
export interface Purchases {
  /** Row in the batch of each. */
  rows: Int32Array
  keys: string[]
  /** Business day of the last order, in days since 1970-01-01. */
  lastDays: Float64Array
  orders: Float64Array
  spend: Float64Array
  newestDay: number
}

export interface PurchaseColumns {
  lastOrderAt: string
  orders: string
  spend: string
}

/** Picks the customers who bought. A customer without a key is known by its id. */
export function pickPurchases(batch: ColumnBatch, columns: PurchaseColumns, timeZone: string): Purchases {
  const lastOrderAt = numbers(batch, columns.lastOrderAt)
  const orders = numbers(batch, columns.orders)
  const spend = numbers(batch, columns.spend)
  const rows: number[] = []
  for (let row = 0; row < batch.ids.length; row++) if (orders[row]! > 0 && !Number.isNaN(lastOrderAt[row]!)) rows.push(row)
  const key = batch.columns.key
  const lastDays = toBusinessDays(Float64Array.from(rows, (row) => lastOrderAt[row]!), timeZone)
  return {
    rows: Int32Array.from(rows),
    keys: rows.map((row) => String((key && valueAt(key, row)) ?? batch.ids[row])),
    lastDays,
    orders: Float64Array.from(rows, (row) => orders[row]!),
    spend: Float64Array.from(rows, (row) => spend[row]! || 0),
    newestDay: lastDays.reduce((newest, day) => Math.max(newest, day), Number.NEGATIVE_INFINITY),
  }
}

/** Buyers as of a day; an order after it counts as one of that day. */
export function toBuyers({ keys, lastDays, orders, spend }: Purchases, referenceDay: number): Buyers {
  return { keys, orders, spend, recencyDays: lastDays.map((day) => Math.max(0, referenceDay - day)) }
}

/** A column that a disabled plugin does not fill reads as "no value" everywhere. */
function numbers(batch: ColumnBatch, name: string): Float64Array {
  const vector = batch.columns[name]
  return vector?.kind === 'number' ? vector.values : new Float64Array(batch.ids.length).fill(Number.NaN)
}
