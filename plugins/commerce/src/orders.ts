import type { RowProblem } from '@huitou/plugin-api'
import { STAGE_RANK, type Stage } from './statuses.ts'

/** One line of an order. Amounts are minor units. */
export interface OrderItem {
  product_id?: string
  sku?: string
  name?: string
  category?: string
  quantity?: number
  /** Unit price in the currency's decimal notation, for display. */
  price?: number
  total?: number
}

export interface Refund {
  /** Absent when the source only knows what was refunded of the order in all. */
  id?: string
  amount: number
  at: number
  /** The source did not say when. */
  estimated?: boolean
}

/** Who ordered, as far as the source says. Empty means that nobody knows. */
export interface OrderCustomer {
  userId?: string
  anonymousId?: string
  externalIds: { type: string; id: string }[]
  traits: Record<string, string>
}

/** What is known of one order at one moment, whatever said it: an export, a webhook. Amounts are minor units. */
export interface Order {
  id: string
  number?: string
  platform: string
  shop: string
  currency: string
  /** Where it stands now, and in the platform's own word. */
  stage: Stage
  status?: string
  /** When each stage was reached, epoch milliseconds. A stage in `estimated` was reached, but nobody says when. */
  times: Partial<Record<Stage | 'created', number>>
  estimated: Set<Stage>
  total?: number
  shipping?: number
  discount?: number
  items: OrderItem[]
  refunds: Refund[]
  customer: OrderCustomer
  province?: string
  city?: string
  country?: string
  receiver?: string
  reason?: string
  channel?: string
  paymentMethod?: string
  coupon?: string
  logistics?: string
  tracking?: string
  shopName?: string
  /** Orders what different deliveries say of this order; larger wins. */
  version: number
  /** `version` is the source's own clock, so the same content at a later version is news. */
  versioned?: boolean
}

/** An order, or nothing, and what was wrong with its rows. */
export interface OrderReading {
  order?: Order
  problems: RowProblem[]
}

/** The furthest stage that has a time. */
export function lastStage(times: Order['times']): Stage {
  const stages = Object.keys(times).filter((stage): stage is Stage => stage !== 'created')
  return stages.sort((a, b) => STAGE_RANK[b] - STAGE_RANK[a])[0] ?? 'unpaid'
}

/** An order of which a webhook has told no more than its number. */
export function bareOrder(known: Pick<Order, 'id' | 'platform' | 'shop' | 'currency'>): Order {
  return {
    ...known,
    stage: 'unpaid',
    times: {},
    estimated: new Set(),
    items: [],
    refunds: [],
    customer: { externalIds: [], traits: {} },
    version: 0,
    versioned: true,
  }
}
