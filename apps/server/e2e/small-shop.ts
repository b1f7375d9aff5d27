const DAY = 86_400_000
const CITIES = ['杭州', '上海', '成都', '深圳', '武汉']
const PRODUCTS = ['修护精华', '清润面霜', '氨基酸洁面', '防晒乳', '玫瑰身体乳']
const FAMILY = ['林', '苏', '陈', '沈', '顾', '许']
const SHOP = '旗舰店'
const HOME = '首页'
const GIVEN = ['晴', '岚', '一诺', '子墨', '雨桐', '嘉禾', '书言']

/** Customers of the small shop who bought something. */
const BUYERS = 90

/** Events of a shop small enough for a test: buyers with one to five orders over a year, and a few lookers-on. */
export function smallShop(now: number) {
  const events: object[] = []
  for (let at = 0; at < BUYERS; at++) events.push(...buyer(at, now))
  for (let at = 0; at < 10; at++) {
    events.push({
      type: 'page',
      anonymousId: `visitor-${at}`,
      messageId: `visit-${at}`,
      name: HOME,
      timestamp: iso(now - at * DAY),
    })
  }
  return { events, buyers: BUYERS }
}

/** Chinese words that are the shop's data, whatever the reader's language. */
export function smallShopWords(): string[] {
  const names = FAMILY.flatMap((family) => GIVEN.map((given) => `${family}${given}`))
  return [...names, ...FAMILY, ...CITIES, ...PRODUCTS, SHOP, HOME]
}

function buyer(at: number, now: number): object[] {
  const userId = `m${1000 + at}`
  const city = CITIES[at % CITIES.length]
  const traits = {
    name: `${FAMILY[at % FAMILY.length]}${GIVEN[at % GIVEN.length]}`,
    phone: `1380000${String(1000 + at)}`,
    city,
  }
  const orders = 1 + ((at * 7) % 5)
  const last = now - (1 + ((at * 13) % 330)) * DAY
  const events: object[] = [
    { type: 'identify', userId, traits, messageId: `who-${at}`, timestamp: iso(last - 400 * DAY) },
  ]
  for (let nth = 0; nth < orders; nth++) {
    const paidAt = last - nth * 11 * DAY
    const properties = {
      order_id: `o${at}-${nth}`,
      currency: 'CNY',
      total: 50 + ((at * 37 + nth * 53) % 400) + 0.5,
      shop: SHOP,
      city,
      items: [{ name: PRODUCTS[(at + nth) % PRODUCTS.length], quantity: 1 + (nth % 2) }],
    }
    events.push(order(userId, 'order.paid', paidAt, properties))
    if (at % 3 === 0)
      events.push(
        order(userId, 'order.shipped', paidAt + DAY / 2, { order_id: properties.order_id, currency: 'CNY' }),
      )
    if (at % 11 === 0 && nth === 0) {
      events.push(
        order(userId, 'order.refunded', paidAt + DAY, {
          order_id: properties.order_id,
          currency: 'CNY',
          amount: 20,
        }),
      )
    }
  }
  return events
}

function order(
  userId: string,
  event: string,
  time: number,
  properties: { order_id: string } & Record<string, unknown>,
): object {
  return {
    type: 'track',
    event,
    userId,
    properties,
    timestamp: iso(time),
    messageId: `${event} ${properties.order_id}`,
  }
}

function iso(time: number): string {
  return new Date(time).toISOString()
}
