import { type Core, type JobContext, normalizeMessage } from '@huitou/core'
import type { DemoClock } from './demo-clock.ts'
import { type DemoMessage, generateDemoShop } from './demo-shop.ts'
import { DEMO_SOURCE } from './load.ts'
import { paymentFailures } from './texts.ts'

/** Between two looks at everything; whatever waits for a moment in between happens at its end. */
const STEP_MS = 30 * 60_000
const HOUR_MS = 3_600_000

export interface PassTime extends Pick<JobContext, 'signal' | 'progress'> {
  clock: DemoClock
  /** When the shop was set up. */
  opened: number
  /** The moment to arrive at. */
  until: number
  /** As many as were loaded. */
  customers?: number
}

/**
 * Lives the demo shop's next hours: its customers do what they do, and everything that is due happens, step by step. Cut
 * short, it goes on where it was: the clock keeps its place, and messages have ids of their own.
 */
export async function passTime(
  core: Core,
  { clock, signal, progress, ...shop }: PassTime,
): Promise<{ hours: number; events: number }> {
  const from = clock.now()
  const { until } = shop
  const messages = collect(from, shop)
  let events = 0
  for (let time = from; time < until;) {
    signal.throwIfAborted()
    time = Math.min(time + STEP_MS, until)
    const next = messages.findIndex((message) => Date.parse(message.timestamp) > time)
    const happened = messages.splice(0, next < 0 ? messages.length : next)
    await clock.moveTo(time, core.database.db)
    if (happened.length > 0) {
      const { accepted } = await core.events.append(happened.map((message) => toEvent(message, time)))
      events += accepted
    }
    await core.settle()
    progress({ done: hoursIn(time - from), total: hoursIn(until - from), unit: 'hours' })
  }
  return { hours: hoursIn(until - from), events }
}

/** What happens in between, in the order of time. */
function collect(
  from: number,
  { until, ...shop }: Pick<PassTime, 'opened' | 'until' | 'customers'>,
): DemoMessage[] {
  const messages: DemoMessage[] = []
  let orders: DemoMessage[] = []
  for (const batch of generateDemoShop({ now: until, ...shop })) {
    messages.push(...batch.filter(({ timestamp }) => Date.parse(timestamp) > from))
    orders = lastTwo([...orders, ...batch.filter(({ event }) => event === 'order.created')])
  }
  messages.push(...orders.flatMap((order, index) => failAgain(order, index, until)))
  return messages.sort(byTime)
}

function byTime(a: DemoMessage, b: DemoMessage): number {
  return Date.parse(a.timestamp) - Date.parse(b.timestamp)
}

/** The latest orders of the two customers who ordered last. */
function lastTwo(orders: DemoMessage[]): DemoMessage[] {
  const byCustomer = new Map(
    orders.sort(byTime).map((order) => [JSON.stringify([order.anonymousId, order.context]), order]),
  )
  return [...byCustomer.values()].sort(byTime).slice(-2)
}

/**
 * Right before the end somebody orders the same once more, and the payment fails: whoever comes to look finds work whose
 * clock is running. What happened days ago has been done, or given up, by then.
 */
function failAgain(order: DemoMessage, index: number, until: number): DemoMessage[] {
  const orderId = `${String(order.properties?.['order_id'])}-${until}`
  const { shop, platform, currency } = order.properties ?? {}
  const at = (before: number) => new Date(until - before).toISOString()
  return [
    {
      ...order,
      messageId: `demo-${until}-${index}-created`,
      timestamp: at(60_000),
      properties: { ...order.properties, order_id: orderId },
    },
    {
      ...order,
      messageId: `demo-${until}-${index}-failed`,
      timestamp: at(30_000),
      event: 'order.payment_failed',
      properties: { order_id: orderId, shop, platform, currency, reason: paymentFailures[index] },
    },
  ]
}

function toEvent(message: DemoMessage, receivedAt: number) {
  const event = normalizeMessage(message, { source: DEMO_SOURCE, receivedAt })
  if (event instanceof Error) throw event
  return event
}

function hoursIn(milliseconds: number): number {
  return Math.round(milliseconds / HOUR_MS)
}
