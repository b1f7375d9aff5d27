import { ShopCalendar } from './calendar.ts'
import { liveCustomer } from './customer.ts'
import type { DemoMessage } from './diary.ts'

export type { DemoMessage } from './diary.ts'

export interface DemoShopOptions {
  /** The shop's two years end on the business day of this instant; nothing happens after it. */
  now: number
  seed?: number
  /** 20,000 when absent; fewer for tests. */
  customers?: number
  /** Messages in a batch, about. */
  batchSize?: number
}

/** Customers of the demo shop. */
export const DEMO_CUSTOMERS = 20_000
const SEED = 20_200_808
const BATCH = 4_000

/**
 * Two years of a brand that does not exist, 霁屿, skin care and things for the home: some 280,000 messages of the
 * Segment protocol, made as they are asked for. The same seed and the same day give the same messages with the same
 * ids; a later hour of the day only adds some. One customer's messages stand together, in the order of time.
 */
export function* generateDemoShop({
  now,
  seed = SEED,
  customers = DEMO_CUSTOMERS,
  batchSize = BATCH,
}: DemoShopOptions): Generator<DemoMessage[], void> {
  const shop = { seed, customers, now, calendar: new ShopCalendar(now) }
  let batch: DemoMessage[] = []
  for (let index = 0; index < customers; index++) {
    batch.push(...liveCustomer(shop, index))
    if (batch.length < batchSize) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
