import type { TimelineEntry } from '@huitou/admin-kit'

/** An order as its events tell it. */
export interface Order {
  id: string
  /** First product, and how many pieces there are in all. */
  title: string | undefined
  pieces: number
  shop: string | undefined
  /** What was paid, in minor units. */
  amount: number | undefined
  refunded: number
  /** When it was placed or paid, whichever is known first. */
  at: number
  /** Name of the event that says how far it is. */
  state: string
}

/** Later steps win over earlier ones, whatever order their events came in. */
const steps = [
  'order.created',
  'order.paid',
  'order.shipped',
  'order.delivered',
  'order.signed',
  'order.completed',
  'order.closed',
  'order.cancelled',
  'order.refunded',
]

/** Gathers `order.*` events by their order, latest order first. Events without an order number are left out. */
export function toOrders(events: readonly TimelineEntry[]): Order[] {
  const byId = Map.groupBy(
    events.filter((event) => orderIdOf(event) !== undefined),
    (event) => orderIdOf(event)!,
  )
  return [...byId].map(([id, own]) => toOrder(id, own)).toSorted((a, b) => b.at - a.at)
}

/** Order number of an event of an order. */
export function orderIdOf(event: TimelineEntry): string | undefined {
  if (!event.name.startsWith('order.')) return undefined
  const id = event.properties['order_id']
  return typeof id === 'string' || typeof id === 'number' ? String(id) : undefined
}

/** Products named in an event, wherever a shop puts their names. */
export function itemsOf(event: TimelineEntry): { title: string; quantity: number }[] {
  const items = event.properties['items'] ?? event.properties['products']
  if (!Array.isArray(items)) return []
  return items.flatMap((item) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return []
    const title = item['title'] ?? item['name'] ?? item['sku']
    return typeof title === 'string' ? [{ title, quantity: Number(item['quantity'] ?? 1) || 1 }] : []
  })
}

function toOrder(id: string, events: TimelineEntry[]): Order {
  const inTime = events.toSorted((a, b) => a.ts - b.ts)
  const items = inTime.map(itemsOf).find((found) => found.length > 0) ?? []
  const valueOf = (name: string) => inTime.findLast((event) => event.name === name)?.value ?? undefined
  const shops = inTime.map((event) => event.properties['shop'] ?? event.properties['platform'])
  return {
    id,
    title: items[0]?.title,
    pieces: items.reduce((sum, item) => sum + item.quantity, 0),
    shop: shops.find((shop): shop is string => typeof shop === 'string' && shop !== ''),
    amount: valueOf('order.paid') ?? valueOf('order.created'),
    refunded: inTime
      .filter((event) => event.name === 'order.refunded')
      .reduce((sum, event) => sum + (event.value ?? 0), 0),
    at: inTime[0]!.ts,
    state: inTime.map((event) => event.name).toSorted((a, b) => steps.indexOf(b) - steps.indexOf(a))[0]!,
  }
}
