import type { ShopCalendar } from './calendar.ts'
import { Choice, type Random } from './random.ts'

/** How somebody buys. */
export interface Habit {
  id: 'once' | 'occasional' | 'loyal' | 'vip' | 'sleeper'
  share: number
  orders: [least: number, most: number]
  /** Days between orders. */
  gap: number
  /** Items in a basket, on average. */
  basket: number
  /** Days before today when the last order lies at the latest. */
  quietFor: number
}

const HABITS: Habit[] = [
  { id: 'once', share: 0.59, orders: [1, 1], gap: 0, basket: 1.3, quietFor: 0 },
  { id: 'occasional', share: 0.2, orders: [2, 4], gap: 130, basket: 1.5, quietFor: 0 },
  { id: 'loyal', share: 0.1, orders: [3, 9], gap: 62, basket: 1.8, quietFor: 0 },
  { id: 'vip', share: 0.025, orders: [6, 20], gap: 34, basket: 2.5, quietFor: 0 },
  { id: 'sleeper', share: 0.085, orders: [2, 5], gap: 45, basket: 1.6, quietFor: 190 },
]

const habits = new Choice(HABITS, ({ share }) => share)

export function pickHabit(random: Random): Habit {
  return habits.pick(random)
}

/**
 * Days of a customer's orders. People buy when the last jar is nearly empty, but wait for the next campaign when
 * one is near: each order goes to a busy day around the day it is due.
 */
export function orderDays(
  random: Random,
  { orders, gap, quietFor }: Habit,
  { first, calendar }: { first: number; calendar: ShopCalendar },
): number[] {
  const days = [first]
  const last = Math.max(first, calendar.days - 1 - quietFor)
  const wanted = random.whole(...orders)
  const own = gap * random.logNormal(0.3)
  for (let due = first; days.length < wanted;) {
    due += Math.max(5, own * random.logNormal(0.35))
    if (due > last) break
    const window = Math.round(own * 0.4)
    const day = Math.max(
      (days.at(-1) ?? first) + 2,
      calendar.pickDay(random, Math.round(due) - window, Math.min(last, Math.round(due) + window)),
    )
    if (day > last) break
    days.push(day)
    due = Math.max(due, day)
  }
  return days
}
