import { type EventLog, type NewEvent, normalizeMessage } from '@huitou/core'
import { DEMO_CUSTOMERS, type DemoMessage, type DemoShopOptions, generateDemoShop } from './demo-shop.ts'

/** Source under which the demo shop stands in the log. */
export const DEMO_SOURCE = 'demo'

export interface DemoLoad extends DemoShopOptions {
  events: EventLog
  signal?: AbortSignal
  /** Told how many customers' events are on disk. */
  onProgress?: (progress: { done: number; total: number; unit: string }) => void
}

/**
 * Appends the demo shop to the log. A load that was cut short is taken up by doing it again with the same `now`: the
 * messages have the same ids, so what is there already stays as it is.
 */
export async function loadDemoShop({
  events,
  signal,
  onProgress,
  ...shop
}: DemoLoad): Promise<{ events: number; added: number }> {
  const total = shop.customers ?? DEMO_CUSTOMERS
  const result = { events: 0, added: 0 }
  for (const batch of generateDemoShop(shop)) {
    signal?.throwIfAborted()
    const { accepted } = await events.append(batch.map((message) => toEvent(message, shop.now)))
    result.events += batch.length
    result.added += accepted
    onProgress?.({ done: customersUpTo(batch), total, unit: 'customers' })
    // The loop that folds these events, and whoever looks on, get their turn.
    await new Promise((resolve) => void setImmediate(resolve))
  }
  return result
}

/** Customers stand one after another, and their number is in the message id. */
function customersUpTo(batch: readonly DemoMessage[]): number {
  return Number(batch.at(-1)?.messageId.split('-')[1]) + 1
}

function toEvent(message: object, now: number): NewEvent {
  const event = normalizeMessage(message, { source: DEMO_SOURCE, receivedAt: now })
  if (event instanceof Error) throw event
  return event
}
