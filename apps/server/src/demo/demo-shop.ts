import { ShopCalendar } from './calendar.ts'
import { liveCustomer } from './customer.ts'
import type { DemoMessage } from './diary.ts'

export type { DemoMessage } from './diary.ts'

export interface DemoShopOptions {
  /** Nothing that happens after this instant is told. */
  now: number
  /** When the shop was set up: two years lie before, {@link DEMO_FUTURE_DAYS} days are to come. `now` when absent. */
  opened?: number
  seed?: number
  /** {@link DEMO_CUSTOMERS} when absent; fewer for tests. */
  customers?: number
  /** Messages in a batch, about. */
  batchSize?: number
}

/** Customers of the demo shop at its end; some 20,000 when it opens. */
export const DEMO_CUSTOMERS = 20_900
/** Days after it was set up for which it is known what happens. */
export const DEMO_FUTURE_DAYS = 28
const SEED = 20_200_808
const BATCH = 4_000

/**
 * Two years of a brand that does not exist, 霁屿, skin care and things for the home: some 280,000 messages of the
 * Segment protocol, made as they are asked for. The same seed and the same day of opening give the same messages with the
 * same ids; a later `now` only adds some. One customer's messages stand together, in the order of time.
 */
export function* generateDemoShop({
  now,
  opened = now,
  seed = SEED,
  customers = DEMO_CUSTOMERS,
  batchSize = BATCH,
}: DemoShopOptions): Generator<DemoMessage[], void> {
  const calendar = new ShopCalendar(opened, DEMO_FUTURE_DAYS)
  const shop = { seed, customers, now, end: calendar.end, calendar }
  let batch: DemoMessage[] = []
  for (let index = 0; index < customers; index++) {
    batch.push(...liveCustomer(shop, index))
    if (batch.length < batchSize) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
