import { writeHousehold } from './appliances.ts'
import type { ShopCalendar } from './calendar.ts'
import { pickCategory } from './catalogue.ts'
import { pickTalk, writeChat, writeFriend, writeVisit } from './contacts.ts'
import { type DemoMessage, Diary } from './diary.ts'
import { type Habit, orderDays, pickHabit } from './habits.ts'
import { Names, pickPlatform, type Platform } from './identity.ts'
import { type OrderFate, writeOrder } from './orders.ts'
import { makePerson, type Person } from './people.ts'
import { Random } from './random.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

export interface Shop {
  seed: number
  customers: number
  calendar: ShopCalendar
  /** Nothing later is told. */
  now: number
  /** Nothing later is known; what happens depends on this, never on `now`. */
  end: number
}

interface Life {
  index: number
  random: Random
  shop: Shop
  diary: Diary
  person: Person
  names: Names
  habit: Habit
  category: string
  home: Platform
  /** Leaves a phone with the first order. */
  givesPhone: boolean
}

/** All that one customer did. Depends on the seed and on this customer's number alone. */
export function liveCustomer(shop: Shop, index: number): DemoMessage[] {
  const random = new Random(shop.seed, index)
  const diary = new Diary(index, shop.now)
  const person = makePerson(random, index, Number(shop.calendar.dateOf(shop.calendar.days - 1).slice(0, 4)))
  const names = new Names({ random, diary, person, end: shop.end })
  const habit = pickHabit(random)
  const life: Life = {
    index,
    random,
    shop,
    diary,
    person,
    names,
    habit,
    category: pickCategory(random),
    home: pickPlatform(random),
    givesPhone: random.chance(0.6),
  }
  const share = (index + random.next()) / shop.customers
  // Sleepers have to have had the time to fall asleep.
  const first = shop.calendar.acquisitionDay(habit.quietFor > 0 ? share * 0.7 : share)
  buy(life, orderDays(random, habit, { first, calendar: shop.calendar }))
  // Numbers of its own, so that nothing else depends on it.
  writeHousehold(diary, new Random(shop.seed, index, 1), {
    index,
    calendar: shop.calendar,
    who: names.on(life.home),
    person,
    from: first,
  })
  return diary.messages()
}

function buy(life: Life, days: number[]): void {
  const { random, shop, names, diary, person, category } = life
  const times = days.map((day) => shop.calendar.pickTime(random, day))
  // Whoever comes for the first time on the last day has come in time.
  const first = Math.min(times[0] as number, shop.end - random.between(0, 4) * HOUR)
  times[0] = first
  const anonymousId = life.home === 'mini-program' ? browseFirst(life, first) : undefined
  names.register(first, life.home, { withPhone: life.givesPhone, anonymousId })
  if (random.chance(0.3))
    diary.identify(first + random.between(1, 20) * DAY, names.on(life.home), {
      gender: person.gender,
      birthday: person.birthday,
    })
  const move = random.whole(1, 3)
  let platform = life.home
  times.forEach((time, order) => {
    // With time, customers of the marketplaces come to the shop's own channel.
    if (order >= move && platform === life.home && random.chance(0.35)) platform = changePlatform(life, time)
    const day = shop.calendar.dayOf(time)
    const campaign = shop.calendar.isCampaign(day)
    const number = `${shop.calendar.dateOf(day).replaceAll('-', '')}${String(life.index).padStart(6, '0')}${order}`
    const fate = writeOrder(diary, random, {
      number,
      time,
      platform,
      who: names.on(platform),
      person,
      category,
      basket: life.habit.basket,
      campaign,
    })
    follow(life, { platform, time, fate })
  })
}

/** Visitors of the mini-program look round before they say who they are. */
function browseFirst({ random, diary, category, index }: Life, first: number): string {
  const anonymousId = `mp-${index}-${random.letters(10)}`
  for (let visits = random.whole(1, 2); visits > 0; visits--) {
    writeVisit(diary, random, {
      time: first - random.between(0.2, 120) * HOUR,
      who: { anonymousId },
      category,
    })
  }
  return anonymousId
}

function changePlatform({ random, names, home, shop }: Life, time: number): Platform {
  const platform: Platform = home === 'mini-program' ? 'tmall' : 'mini-program'
  const registered = time - random.between(0.1, 2) * HOUR
  if (registered > shop.end) return platform
  names.register(registered, platform)
  // Some are two customers for weeks, until they leave their phone as members.
  names.link(random.chance(0.5) ? registered : registered + random.between(3, 50) * DAY)
  return platform
}

function follow(
  life: Life,
  { platform, time, fate }: { platform: Platform; time: number; fate: OrderFate },
): void {
  const { random, diary, names, category, shop } = life
  const who = names.on(platform)
  if (fate.paid && !names.knows('wecom') && fate.signedAt < shop.end && random.chance(0.22)) {
    const scannedAt = fate.signedAt + random.between(0.1, 40) * HOUR
    diary.track(scannedAt, who, 'card.scanned', { card_id: `card-${platform}`, campaign: '包裹卡' })
    if (random.chance(0.75) && scannedAt + HOUR < shop.end)
      befriend(life, scannedAt + random.between(0.5, 20) * 60_000)
  }
  const chatty = names.knows('wecom') ? 0.3 : 0.06
  if (random.chance(fate.late || fate.refunded ? chatty + 0.3 : chatty)) {
    const talk = pickTalk(random, fate)
    writeChat(diary, random, {
      time: time + random.between(1, 90) * HOUR,
      who: names.knows('wecom') ? names.on('wecom') : who,
      talk,
    })
  }
  if (!names.knows('mini-program')) return
  for (let visits = random.whole(0, 1); visits > 0; visits--) {
    writeVisit(diary, random, {
      time: time + random.between(1, 60) * DAY,
      who: names.on('mini-program'),
      category,
    })
  }
}

/** The employee notes the order's phone with the new friend, mostly at once. */
function befriend({ random, diary, names }: Life, time: number): void {
  writeFriend(diary, random, { time, who: names.on('wecom'), source: '包裹卡' })
  names.link(random.chance(0.8) ? time : time + random.between(1, 30) * DAY)
}
