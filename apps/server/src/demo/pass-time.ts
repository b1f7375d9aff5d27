import { type Core, type JobContext, normalizeMessage } from '@huitou/core'
import type { DemoClock } from './demo-clock.ts'
import { type DemoMessage, generateDemoShop } from './demo-shop.ts'
import { DEMO_SOURCE } from './load.ts'

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
  for (const batch of generateDemoShop({ now: until, ...shop }))
    messages.push(...batch.filter(({ timestamp }) => Date.parse(timestamp) > from))
  messages.sort((a, b) => Date.parse(a.timestamp) - Date.parse(b.timestamp))
  return messages
}

function toEvent(message: DemoMessage, receivedAt: number) {
  const event = normalizeMessage(message, { source: DEMO_SOURCE, receivedAt })
  if (event instanceof Error) throw event
  return event
}

function hoursIn(milliseconds: number): number {
  return Math.round(milliseconds / HOUR_MS)
}
