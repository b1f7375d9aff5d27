import { createTestCore, engines } from '@huitou/testing'
import { expect, test } from 'vitest'
import { DemoClock } from './demo-clock.ts'
import { generateDemoShop } from './demo-shop.ts'
import { loadDemoShop } from './load.ts'
import { passTime } from './pass-time.ts'

const DAY = 86_400_000
const CUSTOMERS = 300

test.each(engines)('days pass once on %s, also when they are cut short in between', async (engine) => {
  const opened = Date.now()
  await using core = await createTestCore({ engine, now: new Date(opened).toISOString() })
  const clock = new DemoClock()
  const shop = { opened, customers: CUSTOMERS }
  await loadDemoShop({ events: core.events, now: opened, ...shop })
  await core.settle()
  const until = opened + DAY / 2
  const stop = new AbortController()
  let hours = 0
  const cut = passTime(core, {
    clock,
    ...shop,
    until,
    signal: stop.signal,
    progress: ({ done }) => (hours = done) > 5 && stop.abort(new Error('cut short')),
  })
  await expect(cut).rejects.toThrow('cut short')
  expect(hours).toBe(6)

  // As after a restart.
  const later = new DemoClock()
  await later.restore(core.database.db)
  expect(later.now()).toBeGreaterThan(opened + 5 * 3_600_000)
  expect(later.now()).toBeLessThan(until)
  await passTime(core, {
    clock: later,
    ...shop,
    until,
    signal: new AbortController().signal,
    progress: () => {},
  })
  expect(later.now()).toBeGreaterThanOrEqual(until)

  const expected = [...generateDemoShop({ now: until, ...shop })].flat().map(({ messageId }) => messageId)
  const events = await core.database.db
    .selectFrom('events')
    .select(['message_id', 'ts', 'received_at'])
    .execute()
  const last = [0, 1].flatMap((each) => ['created', 'failed'].map((what) => `demo-${until}-${each}-${what}`))
  expect(events.map((event) => event.message_id).toSorted()).toEqual([...expected, ...last].toSorted())
  // Whoever comes to look finds payments that failed a moment ago.
  const failed = events.filter((event) => event.message_id.endsWith('-failed'))
  expect(failed.map(({ ts }) => until - ts)).toEqual([30_000, 30_000])
})
