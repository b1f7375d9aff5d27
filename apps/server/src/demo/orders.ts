import { pickProduct, type Product } from './catalogue.ts'
import type { Diary, Who } from './diary.ts'
import type { Platform } from './identity.ts'
import type { Person } from './people.ts'
import type { Random } from './random.ts'
import { carriers, closeReasons, hubs, paymentFailures, refundReasons, reviews } from './texts.ts'

export interface OrderPlan {
  number: string
  time: number
  platform: Platform
  who: Who
  person: Person
  category: string
  basket: number
  /** Big campaigns: deeper discounts, later parcels. */
  campaign: boolean
}

/** What became of an order, for what follows from it. */
export interface OrderFate {
  paid: boolean
  late: boolean
  refunded: boolean
  /** When the parcel was in the customer's hands. */
  signedAt: number
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const SHOPS: Record<Platform, string> = {
  tmall: '霁屿旗舰店',
  douyin: '霁屿官方抖店',
  'mini-program': '霁屿会员商城',
  youzan: '霁屿生活馆',
}

/** Writes the life of one order, from the basket to the review. */
export function writeOrder(diary: Diary, random: Random, plan: OrderPlan): OrderFate {
  const head = { order_id: plan.number, shop: SHOPS[plan.platform], platform: plan.platform, currency: 'CNY' }
  const body = { ...head, ...fillBasket(random, plan), ...placeOf(plan) }
  const fate: OrderFate = { paid: false, late: false, refunded: false, signedAt: plan.time + 3 * DAY }
  const track = (time: number, event: string, more: Record<string, unknown>) =>
    diary.track(time, plan.who, event, { ...head, ...more })
  diary.track(plan.time, plan.who, 'order.created', body)
  const failedAt = random.chance(0.03) ? plan.time + random.between(0.5, 3) * MINUTE : undefined
  if (failedAt !== undefined)
    track(failedAt, 'order.payment_failed', { reason: random.pick(paymentFailures) })
  // Without anybody's help many whose payment failed never come back.
  if (random.chance(failedAt === undefined ? 0.054 : 0.4)) {
    const patience = failedAt === undefined ? random.between(30, 600) * MINUTE : random.between(1, 3) * DAY
    track(plan.time + patience, 'order.closed', {
      reason: random.pick(closeReasons),
      was_paid: false,
    })
    return fate
  }
  // The others try again: at once, or when they have the time.
  const hesitation = random.between(0.2, 8)
  const paidAt =
    failedAt === undefined
      ? plan.time + hesitation * MINUTE
      : failedAt + 5 * MINUTE + hesitation * (hesitation > 4 ? HOUR : MINUTE)
  fate.paid = true
  diary.track(paidAt, plan.who, 'order.paid', body)
  if (body.coupon) track(paidAt, 'coupon.used', { coupon_id: body.coupon, amount: body.discount })
  // A few change their minds before the parcel leaves.
  if (random.chance(0.018)) {
    fate.refunded = true
    refund(track, random, { paidAt: paidAt + random.between(0.2, 10) * HOUR, total: body.total, whole: true })
    return fate
  }
  ship(track, random, { plan, paidAt, fate })
  if (random.chance(fate.late ? 0.15 : 0.042)) {
    fate.refunded = true
    refund(track, random, {
      paidAt: fate.signedAt + random.between(2, 150) * HOUR,
      total: body.total,
      whole: random.chance(0.6),
    })
  }
  if (random.chance(0.13)) {
    const item = body.items[0]
    const rating = fate.refunded
      ? random.whole(1, 3)
      : fate.late
        ? random.whole(2, 5)
        : random.chance(0.8)
          ? 5
          : random.whole(2, 4)
    track(fate.signedAt + random.between(12, 200) * HOUR, 'order.reviewed', {
      product_id: item?.product_id,
      rating,
      text: random.pick(reviews[rating] ?? ['']),
    })
  }
  return fate
}

type Track = (time: number, event: string, more: Record<string, unknown>) => void

function ship(
  track: Track,
  random: Random,
  { plan, paidAt, fate }: { plan: OrderPlan; paidAt: number; fate: OrderFate },
): void {
  const shippedAt = paidAt + random.between(2, plan.campaign ? 60 : 26) * HOUR
  fate.late = random.chance(plan.campaign ? 0.09 : 0.035)
  const deliveredAt = shippedAt + random.between(22, 70) * HOUR + (fate.late ? random.between(3, 8) * DAY : 0)
  fate.signedAt = deliveredAt + random.between(0.2, 20) * HOUR
  const parcel = { logistics_company: random.pick(carriers), tracking_number: `SF${random.digits(13)}` }
  track(shippedAt, 'order.shipped', parcel)
  // Marketplaces tell when a parcel leaves and when it has been received; the shop's own mini program follows it.
  if (plan.platform === 'mini-program') {
    track(shippedAt + random.between(4, 14) * HOUR, 'order.in_transit', {
      ...parcel,
      location: random.pick(hubs),
    })
    track(deliveredAt, 'order.delivered', {})
  }
  track(fate.signedAt, 'order.signed', {})
}

function refund(
  track: Track,
  random: Random,
  { paidAt, total, whole }: { paidAt: number; total: number; whole: boolean },
): void {
  const amount = whole ? total : Math.round(total * random.between(0.1, 0.6) * 100) / 100
  track(paidAt, 'order.refunded', {
    refund_id: `R${random.digits(12)}`,
    amount,
    reason: random.pick(refundReasons),
  })
}

function fillBasket(random: Random, { category, basket, campaign }: OrderPlan) {
  const kinds = Math.max(1, Math.min(6, Math.round(basket * random.logNormal(0.35))))
  const chosen = new Map<string, Product>()
  for (let kind = 0; kind < kinds; kind++) {
    const product = pickProduct(random, category)
    chosen.set(product.id, product)
  }
  const items = [...chosen.values()].map(({ id, name, category: shelf, price }) => {
    const quantity = random.chance(campaign ? 0.3 : 0.12) ? 2 : 1
    return { product_id: id, name, category: shelf, quantity, price, total: price * quantity }
  })
  const gross = items.reduce((sum, item) => sum + item.total, 0)
  const coupon = random.chance(campaign ? 0.4 : 0.13) ? (gross >= 299 ? 30 : gross >= 199 ? 15 : 5) : 0
  const discount = coupon + (campaign ? Math.round(gross * random.between(0.08, 0.2)) : 0)
  const shipping = gross - discount >= 59 ? 0 : 8
  return {
    total: gross - discount + shipping,
    shipping,
    discount,
    ...(coupon > 0 ? { coupon: `满减${coupon}` } : {}),
    items,
  }
}

function placeOf({ person, platform }: OrderPlan) {
  return {
    province: person.province,
    city: person.city,
    receiver: `${person.name.slice(0, 1)}**`,
    payment_method: platform === 'tmall' ? 'alipay' : platform === 'douyin' ? 'douyin_pay' : 'wechat_pay',
    channel: platform === 'tmall' || platform === 'douyin' ? 'marketplace' : 'private',
  }
}
