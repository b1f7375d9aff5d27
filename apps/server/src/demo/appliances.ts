import type { ShopCalendar } from './calendar.ts'
import type { Diary, Who } from './diary.ts'
import type { Person } from './people.ts'
import type { Random } from './random.ts'
import { carriers } from './texts.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Things that last: somebody registers, installs, looks after and one day replaces them. */
const APPLIANCES = [
  { id: 'CJ901', name: '雾屿智能香薰机', price: 699, installed: false },
  { id: 'CJ902', name: '清渡台面净饮机', price: 1_999, installed: true },
] as const

export interface Household {
  index: number
  calendar: ShopCalendar
  who: Who
  person: Person
  /** Day of the first order. */
  from: number
}

/** What belongs to a home rather than to a shelf: an appliance that one in fourteen buys, and children. */
export function writeHousehold(diary: Diary, random: Random, household: Household): void {
  if (random.chance(0.07)) writeAppliance(diary, random, household)
  if (!random.chance(0.05)) return
  const { calendar, from, who } = household
  const told = calendar.pickTime(random, Math.min(calendar.days - 1, from + random.whole(0, 60)))
  diary.identify(told, who, { child_birthday: dateOf(told - random.between(20, 900) * DAY) })
}

function writeAppliance(
  diary: Diary,
  random: Random,
  { index, calendar, who, person, from }: Household,
): void {
  const { id, name, price, installed } = random.pick(APPLIANCES)
  const day = calendar.pickDay(random, from, calendar.days - 1)
  const time = calendar.pickTime(random, day)
  const head = {
    order_id: `${calendar.dateOf(day).replaceAll('-', '')}${String(index).padStart(6, '0')}A`,
    shop: '霁屿会员商城',
    platform: 'mini-program',
    currency: 'CNY',
  }
  const product = { product_id: id, name, category: '家电' }
  const items = [{ ...product, quantity: 1, price, total: price }]
  const { province, city } = person
  const body = { ...head, total: price, shipping: 0, discount: 0, items, province, city, channel: 'private' }
  diary.track(time, who, 'order.created', body)
  const paidAt = time + random.between(0.5, 8) * MINUTE
  diary.track(paidAt, who, 'order.paid', body)
  const shippedAt = paidAt + random.between(4, 30) * HOUR
  diary.track(shippedAt, who, 'order.shipped', {
    ...head,
    logistics_company: random.pick(carriers),
    tracking_number: `SF${random.digits(13)}`,
  })
  const signedAt = shippedAt + random.between(24, 90) * HOUR
  diary.track(signedAt, who, 'order.signed', head)
  if (installed && random.chance(0.6)) {
    const bookedAt = signedAt + random.between(1, 60) * HOUR
    diary.track(bookedAt, who, 'installation.booked', {
      order_id: head.order_id,
      date: dateOf(bookedAt + 2 * DAY),
    })
  }
  if (random.chance(0.8))
    diary.track(signedAt + random.between(1, 72) * HOUR, who, 'product.registered', {
      ...product,
      warranty_ends_on: dateOf(signedAt + 365 * DAY),
    })
}

function dateOf(time: number): string {
  return new Date(time + 8 * HOUR).toISOString().slice(0, 10)
}
