import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { engines, createTestCore } from '@huitou/testing'
import type { Contributions } from '@huitou/plugin-api'
import { describe, expect, test } from 'vitest'
import { type DemoMessage, type DemoShopOptions, DEMO_FUTURE_DAYS, generateDemoShop } from './demo-shop.ts'
import { loadDemoShop } from './load.ts'

const DAY = 86_400_000
const now = Date.parse('2026-11-21T20:15:00+08:00')

function digestOf(options: DemoShopOptions): string {
  const hash = createHash('sha256')
  for (const batch of generateDemoShop(options))
    for (const message of batch) hash.update(JSON.stringify(message))
  return hash.digest('hex')
}

test('the same seed and moment give the same shop, others another one', () => {
  const digest = digestOf({ now, customers: 300 })
  expect(digestOf({ now, customers: 300, batchSize: 7 })).toBe(digest)
  expect(digestOf({ now, customers: 300, seed: 2 })).not.toBe(digest)
})

test('time only adds messages', () => {
  const read = (at: number) =>
    new Map(
      [...generateDemoShop({ now: at, opened: now, customers: 400 })]
        .flat()
        .map((message) => [message.messageId, message]),
    )
  const earlier = read(now)
  const later = read(now + 7 * DAY)
  const changed = [...earlier].filter(
    ([id, message]) => JSON.stringify(later.get(id)) !== JSON.stringify(message),
  )
  expect(changed).toEqual([])
  expect(later.size).toBeGreaterThan(earlier.size)
  const added = [...later].filter(([id]) => !earlier.has(id))
  expect(added.filter(([, { timestamp }]) => Date.parse(timestamp) <= now)).toEqual([])
})

describe('the whole shop', () => {
  const counts = new Map<string, number>()
  const months = new Map<string, number>()
  const ids = new Set<string>()
  const customers = new Set<string>()
  const phones = new Set<string>()
  let latest = ''
  let largest = 0
  const count = ({ messageId, event, type, timestamp, properties, traits }: DemoMessage) => {
    const name = event ?? type
    counts.set(name, (counts.get(name) ?? 0) + 1)
    ids.add(messageId)
    customers.add(messageId.split('-')[1] as string)
    if (timestamp > latest) latest = timestamp
    if (typeof traits?.['phone'] === 'string') phones.add(traits['phone'])
    if (event !== 'order.paid') return
    const month = new Date(Date.parse(timestamp) + 8 * 3_600_000).toISOString().slice(0, 7)
    months.set(month, (months.get(month) ?? 0) + Number(properties?.['total']))
  }
  for (const batch of generateDemoShop({ now })) {
    largest = Math.max(largest, batch.length)
    batch.forEach(count)
  }
  const share = (part: string, whole: string) => (counts.get(part) ?? 0) / (counts.get(whole) ?? 1)

  test('has some 20,000 customers and a third of a million messages, each with an id of its own', () => {
    expect(Math.round(customers.size / 100)).toBe(201)
    expect(ids.size).toBeGreaterThan(280_000)
    expect(ids.size).toBeLessThan(400_000)
    expect([...counts.values()].reduce((a, b) => a + b)).toBe(ids.size)
  })

  test('comes in pieces, and ends now', () => {
    expect(largest).toBeLessThan(5_000)
    expect(Date.parse(latest)).toBeLessThanOrEqual(now)
    expect(Date.parse(latest)).toBeGreaterThan(now - 3_600_000)
  })

  test('sells most in November and least around the Spring Festival', () => {
    const year = [...months].filter(([month]) => month >= '2025-11' && month < '2026-11')
    const [best] = year.toSorted((a, b) => b[1] - a[1])[0] ?? []
    const [worst] = year.toSorted((a, b) => a[1] - b[1])[0] ?? []
    expect(best).toBe('2025-11')
    expect(worst).toBe('2026-02')
  })

  test('has the troubles of a shop in believable shares', () => {
    expect(share('order.refunded', 'order.paid')).toBeGreaterThan(0.055)
    expect(share('order.refunded', 'order.paid')).toBeLessThan(0.075)
    expect(Math.round(share('order.closed', 'order.created') * 100)).toBe(6)
    expect(Math.round(share('order.payment_failed', 'order.created') * 100)).toBe(3)
    expect(share('order.paid', 'order.created')).toBeGreaterThan(0.9)
  })

  test('names nobody who can be called: no operator has these numbers', () => {
    expect(phones.size).toBeGreaterThan(10_000)
    expect([...phones].filter((phone) => !/^14[23]\d{8}$/.test(phone))).toEqual([])
  })
})

describe.each(engines)('loading on %s', (engine) => {
  test('a load that was cut short goes on without doubling, and people stay as many as they are', async () => {
    await using core = await createTestCore({ engine, now: '2026-11-21T20:15:00+08:00' })
    core.declare(commerce())
    const end = now + DEMO_FUTURE_DAYS * DAY
    core.clock.set(end)
    const shop = { events: core.events, now: end, opened: now, customers: 80, batchSize: 200 }
    const stop = new AbortController()
    const cut = loadDemoShop({
      ...shop,
      signal: stop.signal,
      onProgress: ({ done }) => done > 20 && stop.abort(),
    })
    await expect(cut).rejects.toThrow()
    const first = await core.database.db.selectFrom('events').select('seq').execute()
    const { events, added } = await loadDemoShop(shop)
    expect(added).toBe(events - first.length)
    await core.settle()
    const { count, orders } = await core.database.db
      .selectFrom('profiles')
      .select(({ fn }) => [fn.countAll<number>().as('count'), fn.sum<number>('event_count').as('orders')])
      .executeTakeFirstOrThrow()
    expect({ count, orders }).toEqual({ count: 80, orders: events })
  })
})

function commerce(): Pick<Contributions, 'events' | 'features'> {
  const file = new URL('../../../../plugins/commerce/package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { contributes: Contributions }).contributes
}
