import { pickProduct } from './catalogue.ts'
import type { Diary, Who } from './diary.ts'
import type { Random } from './random.ts'
import { searches, staff, type Talk, talks } from './texts.ts'

const MINUTE = 60_000

/** One question to the shop and, nearly always, its answer. */
export function writeChat(
  diary: Diary,
  random: Random,
  { time, who, talk }: { time: number; who: Who; talk: Talk },
): void {
  const conversation_id = `C${random.digits(10)}`
  const employee = random.pick(staff)
  const facts = { conversation_id, topic: talk.topic, staff: employee, channel: 'wecom' }
  const text = random.pick(talk.said)
  diary.track(time, who, 'chat.message', { ...facts, direction: 'in', text })
  diary.track(time, who, 'service.consulted', {
    conversation_id,
    topic: talk.topic,
    mood: talk === talks.complaint ? 'negative' : talk === talks.thanks ? 'positive' : 'neutral',
    text,
  })
  if (random.chance(0.06)) return
  const answeredAt = time + random.between(0.4, 12) * MINUTE
  diary.track(answeredAt, who, 'chat.message', {
    ...facts,
    direction: 'out',
    text: random.pick(talk.answered),
  })
}

/** What somebody is likely to write about, after an order that went one way or the other. */
export function pickTalk(random: Random, { late, refunded }: { late: boolean; refunded: boolean }): Talk {
  if (random.chance(late || refunded ? 0.5 : 0.035)) return talks.complaint
  if (late || random.chance(0.2)) return talks.delivery
  return random.chance(0.55) ? talks.usage : random.chance(0.5) ? talks.presale : talks.thanks
}

/** A visit to the mini-program: looking round, and sometimes filling a cart. */
export function writeVisit(
  diary: Diary,
  random: Random,
  { time, who, category }: { time: number; who: Who; category: string },
): void {
  let at = time
  if (random.chance(0.15)) diary.track(at, who, 'product.searched', { query: random.pick(searches) })
  for (let views = random.whole(1, 2); views > 0; views--) {
    const { id, name, category: shelf, price } = pickProduct(random, category)
    const product = { product_id: id, name, category: shelf, price, currency: 'CNY' }
    at += random.between(0.3, 3) * MINUTE
    diary.track(at, who, 'product.viewed', product)
    if (!random.chance(0.13)) continue
    at += random.between(0.1, 1) * MINUTE
    diary.track(at, who, 'cart.added', { ...product, quantity: 1 })
    if (random.chance(0.3))
      diary.track(at + MINUTE, who, 'checkout.started', { total: price, currency: 'CNY' })
  }
}

/** Becomes a friend in WeCom; a few leave again. */
export function writeFriend(
  diary: Diary,
  random: Random,
  { time, who, source }: { time: number; who: Who; source: string },
): void {
  const employee = random.pick(staff)
  diary.track(time, who, 'wecom.friend_added', { staff: employee, source })
  if (random.chance(0.08))
    diary.track(time + random.between(1, 120) * 24 * 60 * MINUTE, who, 'wecom.friend_removed', {
      staff: employee,
    })
}
