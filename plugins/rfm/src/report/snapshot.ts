import type { ColumnBatch, Huitou } from '@huitou/plugin-api'
import { startOfDay } from '../business-days.ts'
import { pickPurchases, pickRows, toBuyers } from '../buyers.ts'
import type { Purchases } from '../buyers.ts'
import { resolveReference } from '../reference.ts'
import type { Reference } from '../reference.ts'
import { scoreBuyers } from '../score.ts'
import type { Buyers, Scores } from '../score.ts'
import { assignSegments } from '../segments.ts'
import { minorPerMajor } from '../settings.ts'
import type { RfmSettings } from '../settings.ts'

/** Everybody who had bought by a day, with the scores and the segment of that day. */
export interface Snapshot extends Buyers, Scores {
  /** Customer ids, ascending. */
  ids: Float64Array
  reference: Reference
  /** Index of the segment, −1 for none. */
  segments: Int16Array
}

/** What the report needs of the server. */
export type ReportHost = Pick<Huitou, 'settings' | 'brand' | 'customers' | 'events'>

/** Which orders count. */
export interface SnapshotQuery {
  /** Last day whose orders count, in days since 1970-01-01. */
  asOf?: number | undefined
  shop?: string | undefined
  category?: string | undefined
  segmentId?: string | undefined
  now: number
}

/** Reads what customers had bought and scores it. Without a day or filter it reads the columns that scores are made of. */
export async function loadSnapshot(
  huitou: ReportHost,
  settings: RfmSettings,
  query: SnapshotQuery,
): Promise<Snapshot> {
  const { timeZone, currency } = huitou.brand
  const fromColumns = query.asOf === undefined && !isFiltered(query)
  const { purchases, ids } = await (fromColumns ? readColumns : readEvents)(huitou, settings, query)
  const reference: Reference =
    query.asOf === undefined
      ? resolveReference(settings.reference, purchases.newestDay, query.now, timeZone)
      : { day: query.asOf, reason: 'chosen' }
  const buyers = toBuyers(purchases, reference.day)
  const scores = scoreBuyers(buyers, settings, minorPerMajor(currency))
  return { ...buyers, ...scores, ids, reference, segments: assignSegments(settings.scheme, scores) }
}

/** Whether only some orders count, so that the figures differ from the customers' own columns. */
export function isFiltered({ shop, category }: SnapshotQuery): boolean {
  return shop !== undefined || category !== undefined
}

interface Loaded {
  purchases: Purchases
  ids: Float64Array
}

async function readColumns(
  huitou: ReportHost,
  { monetary }: RfmSettings,
  { segmentId }: SnapshotQuery,
): Promise<Loaded> {
  const columns = {
    lastOrderAt: 'commerce_last_order_at',
    orders: 'commerce_orders',
    spend: `commerce_${monetary}`,
  }
  const names = ['key', ...Object.values(columns)]
  const batch = await huitou.customers.read({
    columns: names,
    ...(segmentId === undefined ? {} : { segmentId }),
  })
  return pick(batch, pickPurchases(batch, columns, huitou.brand.timeZone))
}

async function readEvents(
  huitou: ReportHost,
  { monetary }: RfmSettings,
  query: SnapshotQuery,
): Promise<Loaded> {
  const { timeZone } = huitou.brand
  const { asOf, segmentId } = query
  const where = {
    ...(query.shop === undefined ? {} : { shop: query.shop }),
    ...(query.category === undefined ? {} : { 'items.category': query.category }),
  }
  const span = { where, ...(asOf === undefined ? {} : { before: startOfDay(asOf + 1, timeZone) }) }
  // Refunds do not say what was sent back, so they cannot be taken off one category.
  const net = monetary === 'net_spend' && query.category === undefined
  const [paid, refunded, members] = await Promise.all([
    huitou.events.perCustomer({ events: ['order.paid'], ...span }),
    net ? huitou.events.perCustomer({ events: ['order.refunded'], ...span }) : undefined,
    segmentId === undefined ? undefined : huitou.customers.read({ columns: ['key'], segmentId }),
  ])
  if (refunded) takeOff(paid, refunded)
  if (members) keepOnly(paid, members.ids)
  return pick(paid, pickPurchases(paid, { lastOrderAt: 'last', orders: 'count', spend: 'value' }, timeZone))
}

function pick(batch: ColumnBatch, purchases: Purchases): Loaded {
  return { purchases, ids: pickRows(batch.ids, purchases.rows) }
}

function takeOff(paid: ColumnBatch, refunded: ColumnBatch): void {
  const spend = paid.columns.value
  const refunds = refunded.columns.value
  if (spend?.kind !== 'number' || refunds?.kind !== 'number') return
  eachShared(paid.ids, refunded.ids, (row, other) => {
    spend.values[row]! -= refunds.values[other]! || 0
  })
}

/** Leaves others without orders, which is how {@link pickPurchases} passes over them. */
function keepOnly(batch: ColumnBatch, members: Float64Array): void {
  const count = batch.columns.count
  if (count?.kind !== 'number') return
  const kept = new Float64Array(count.values.length)
  eachShared(batch.ids, members, (row) => (kept[row] = count.values[row]!))
  count.values.set(kept)
}

/** Calls `visit` with the rows of each id that stands in both ascending lists. */
export function eachShared(
  a: Float64Array,
  b: Float64Array,
  visit: (rowA: number, rowB: number) => void,
): void {
  for (let rowA = 0, rowB = 0; rowA < a.length && rowB < b.length;) {
    const difference = a[rowA]! - b[rowB]!
    if (difference === 0) visit(rowA++, rowB++)
    else if (difference < 0) rowA++
    else rowB++
  }
}
