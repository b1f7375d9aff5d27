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
  { id: 'once', share: 0.43, orders: [1, 1], gap: 0, basket: 1.3, quietFor: 0 },
  { id: 'occasional', share: 0.28, orders: [2, 5], gap: 95, basket: 1.5, quietFor: 0 },
  { id: 'loyal', share: 0.16, orders: [4, 11], gap: 48, basket: 1.8, quietFor: 0 },
  { id: 'vip', share: 0.04, orders: [8, 26], gap: 27, basket: 2.5, quietFor: 0 },
  { id: 'sleeper', share: 0.09, orders: [2, 6], gap: 45, basket: 1.6, quietFor: 190 },
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
