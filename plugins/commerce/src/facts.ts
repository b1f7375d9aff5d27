import { hash } from 'node:crypto'
import type { SourceEvent } from '@huitou/plugin-api'
import { toAmount } from './money.ts'
import type { Order, OrderItem, Refund } from './orders.ts'
import type { Stage } from './statuses.ts'

/** An event may hold 32 KiB; what stands beside the items takes far less than the rest of that. */
const ITEM_BYTES = 24 * 1024
const FEW_ITEMS = 20

/** Stages that become an event of their own, with the event's name. `unpaid` is `order.created`; refunds have amounts. */
const STAGE_EVENTS: [Stage, string][] = [
  ['payment_failed', 'order.payment_failed'],
  ['shipped', 'order.shipped'],
  ['in_transit', 'order.in_transit'],
  ['delivered', 'order.delivered'],
  ['signed', 'order.signed'],
  ['completed', 'order.completed'],
  ['closed', 'order.closed'],
]

/**
 * The events that say what is known of an order. Pure: the same order gives the same events with the same message
 * ids, so that reading a file again, or a webhook delivered twice, changes nothing.
 */
export function orderEvents(order: Order): SourceEvent[] {
  const head = compact({
    order_id: order.id,
    order_number: order.number,
    shop: order.shop,
    platform: order.platform,
    currency: order.currency,
  })
  const events: SourceEvent[] = []
  const at = (stage: Stage | 'created') => order.times[stage]
  const created = at('created')
  if (created !== undefined) {
    events.push(track(order, 'order.created', created, { ...head, status: order.status, ...body(order) }))
  }
  const paid = at('paid')
  if (paid !== undefined) {
    const estimated = order.estimated.has('paid') || undefined
    events.push(track(order, 'order.paid', paid, { ...head, ...body(order), time_estimated: estimated }))
  }
  for (const [stage, name] of STAGE_EVENTS) {
    const time = at(stage)
    if (time === undefined) continue
    const shipping = stage === 'shipped' || stage === 'in_transit'
    events.push(
      track(order, name, time, {
        ...head,
        logistics_company: shipping ? order.logistics : undefined,
        tracking_number: shipping ? order.tracking : undefined,
        reason: stage === 'closed' ? order.reason : undefined,
        was_paid: stage === 'closed' ? paid !== undefined : undefined,
        time_estimated: order.estimated.has(stage) || undefined,
      }),
    )
  }
  for (const refund of order.refunds) events.push(refundEvent(order, head, refund))
  const who = identify(order, created ?? paid ?? order.refunds[0]?.at ?? order.version)
  if (who) events.unshift(who)
  return events
}

/** An event about an order's customer, for instance from a webhook that has no order. */
export function identify(order: Order, timestamp: number): SourceEvent | undefined {
  const { customer } = order
  if (Object.keys(customer.traits).length === 0 || customer.anonymousId !== undefined) return undefined
  return signed(order, {
    type: 'identify',
    timestamp,
    ...identity(order),
    traits: customer.traits,
  })
}

/** A short name for content: 132 bits of SHA-256. */
export function contentId(content: unknown): string {
  return hash('sha256', JSON.stringify(content), 'base64url').slice(0, 22)
}

function body(order: Order): Record<string, unknown> {
  const amount = (minor: number | undefined) =>
    minor === undefined ? undefined : toAmount(minor, order.currency)
  return {
    total: amount(order.total),
    shipping: amount(order.shipping),
    discount: amount(order.discount),
    payment_method: order.paymentMethod,
    coupon: order.coupon,
    channel: order.channel,
    shop_name: order.shopName,
    province: order.province,
    city: order.city,
    country: order.country,
    receiver: order.receiver,
    ...itemsOf(order),
  }
}

/** The items that fit into one event, the most valuable first, and how many there were when some did not. */
function itemsOf({ items, currency }: Order): { items?: OrderItem[]; item_count?: number } {
  if (items.length === 0) return {}
  const kept: OrderItem[] = []
  let bytes = 0
  for (const item of items) {
    const shown = item.total === undefined ? item : { ...item, total: toAmount(item.total, currency) }
    if (items.length > FEW_ITEMS) bytes += Buffer.byteLength(JSON.stringify(shown)) + 1
    if (bytes > ITEM_BYTES) return { items: kept, item_count: items.length }
    kept.push(shown)
  }
  return { items: kept }
}

function refundEvent(order: Order, head: Record<string, unknown>, refund: Refund): SourceEvent {
  return track(order, 'order.refunded', refund.at, {
    ...head,
    refund_id: refund.id,
    amount: toAmount(refund.amount, order.currency),
    reason: order.reason,
    time_estimated: refund.estimated || undefined,
  })
}

function track(
  order: Order,
  name: string,
  timestamp: number,
  properties: Record<string, unknown>,
): SourceEvent {
  return signed(order, {
    type: 'track',
    event: name,
    timestamp,
    ...identity(order),
    properties: compact(properties),
  })
}

function identity({ customer }: Order): Pick<SourceEvent, 'userId' | 'anonymousId' | 'externalIds'> {
  return {
    ...(customer.userId === undefined ? {} : { userId: customer.userId }),
    ...(customer.anonymousId === undefined ? {} : { anonymousId: customer.anonymousId }),
    ...(customer.externalIds.length === 0 ? {} : { externalIds: customer.externalIds }),
  }
}

function signed(
  { platform, shop, id, version, versioned }: Order,
  content: Omit<SourceEvent, 'messageId' | 'version'>,
): SourceEvent {
  const messageId = contentId([platform, shop, id, content, versioned ? version : 0])
  return { messageId, ...content, version }
}

function compact(record: Record<string, unknown>): Record<string, unknown> {
  const kept: Record<string, unknown> = {}
  for (const key in record) if (record[key] !== undefined) kept[key] = record[key]
  return kept
}
