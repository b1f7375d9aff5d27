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
  const rows = new Int32Array(batch.ids.length)
  let count = 0
  for (let row = 0; row < rows.length; row++)
    if (orders[row]! > 0 && !Number.isNaN(lastOrderAt[row]!)) rows[count++] = row
  const bought = rows.subarray(0, count)
  const lastDays = toBusinessDays(pickRows(lastOrderAt, bought), timeZone)
  let newestDay = Number.NEGATIVE_INFINITY
  for (let index = 0; index < count; index++) newestDay = Math.max(newestDay, lastDays[index]!)
  return {
    rows: bought,
    keys: pickKeys(batch, bought),
    lastDays,
    orders: pickRows(orders, bought),
    spend: pickRows(spend, bought).map((amount) => amount || 0),
    newestDay,
  }
}

/** The values of some rows. */
export function pickRows(values: Float64Array, rows: Int32Array): Float64Array {
  const picked = new Float64Array(rows.length)
  for (let index = 0; index < rows.length; index++) picked[index] = values[rows[index]!]!
  return picked
}

function pickKeys({ ids, columns: { key } }: ColumnBatch, rows: Int32Array): string[] {
  const keys: string[] = []
  for (const row of rows) keys.push(String((key && valueAt(key, row)) ?? ids[row]))
  return keys
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
