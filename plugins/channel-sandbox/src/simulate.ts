import { createHash } from 'node:crypto'
import type { Receipt } from '@huitou/plugin-api'

const minute = 60_000

/** How many of a hundred people do what. */
export interface Habits {
  bouncePercent: number
  readPercent: number
  clickPercent: number
  replyPercent: number
  unsubscribePercent: number
}

const usual: Habits = {
  bouncePercent: 2,
  readPercent: 60,
  clickPercent: 15,
  replyPercent: 5,
  unsubscribePercent: 1,
}

/** The habits in an account's settings; what is missing there is as usual. */
export function readHabits(settings: Readonly<Record<string, unknown>>): Habits {
  const given = Object.entries(usual).map(([name, otherwise]) => {
    const value = settings[name]
    return [name, typeof value === 'number' && value >= 0 && value <= 100 ? value : otherwise]
  })
  return Object.fromEntries(given) as Habits
}

/**
 * What the person who got the message did until `now`: the same for the same key, whoever asks and however often.
 * Times are those at which it happened, so a receipt told twice is the same receipt.
 */
export function receiptsUntil(
  { key, providerId, sentAt, now }: { key: string; providerId: string; sentAt: number; now: number },
  habits: Habits,
): Receipt[] {
  const chance = (of: string) => createHash('sha256').update(`${of} ${key}`).digest().readUInt32BE() / 2 ** 32
  const does = (of: string, percent: number) => chance(of) * 100 < percent
  const after = (of: string, from: number, to: number) =>
    Math.round((from + chance(`${of} when`) * (to - from)) * minute)
  const receipts: Receipt[] = []
  const tell = (kind: Receipt['kind'], at: number, more: Partial<Receipt> = {}) =>
    receipts.push({ providerId, key, kind, at, ...more })
  if (does('bounce', habits.bouncePercent)) {
    tell('bounced', sentAt + after('bounce', 0, 1), { code: 'SIMULATED', message: 'no such person' })
  } else {
    tell('delivered', sentAt + after('deliver', 0, 0.1))
    if (does('read', habits.readPercent)) {
      const readAt = sentAt + after('read', 0.2, 240)
      tell('read', readAt)
      // Shares are of all messages, but only who reads can do more.
      const ofReaders = (percent: number) => (percent / Math.max(habits.readPercent, percent, 1)) * 100
      if (does('click', ofReaders(habits.clickPercent))) tell('clicked', readAt + after('click', 0.1, 5))
      if (does('reply', ofReaders(habits.replyPercent)))
        tell('replied', readAt + after('reply', 0.5, 30), { detail: 'OK' })
      if (does('unsubscribe', ofReaders(habits.unsubscribePercent)))
        tell('unsubscribed', readAt + after('unsubscribe', 0.5, 30))
    }
  }
  return receipts.filter(({ at }) => at <= now).toSorted((a, b) => a.at - b.at)
}
