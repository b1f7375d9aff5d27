import { createTestCore, engines } from '@huitou/testing'
import { describe, expect, test } from 'vitest'
import { EventCounts } from './event-counts.ts'

const visit = (id: string, event: string) => ({ type: 'track', event, messageId: id, userId: 'u' })

describe.each(engines)('kinds of events on %s', (engine) => {
  test('are counted as they stand while that is quick', async () => {
    await using core = await createTestCore({ engine })
    const counts = new EventCounts(core.database.analytics)
    expect([...(await counts.read())]).toEqual([])
    await core.send(visit('1', 'tea.poured'), visit('2', 'tea.poured'), visit('3', 'shop.seen'))
    await core.settle()
    expect(Object.fromEntries(await counts.read())).toEqual({ 'tea.poured': 2, 'shop.seen': 1 })
  })

  test('are all there at once when counting takes long; known ones with the figure of a while ago', async () => {
    await using core = await createTestCore({ engine })
    const counts = new EventCounts(core.database.analytics, { quickMs: -1, rest: 0 })
    await core.send(visit('1', 'tea.poured'), visit('2', 'shop.seen'))
    await core.settle()
    expect(Object.fromEntries(await counts.read())).toEqual({ 'tea.poured': 1, 'shop.seen': 1 })
    await core.send(
      visit('3', 'tea.poured'),
      visit('4', 'a.first'),
      visit('5', 'z.last'),
      visit('6', 'z.last'),
    )
    await core.settle()
    const late = await counts.read()
    expect(late.get('a.first')).toBe(1)
    expect(late.get('z.last')).toBe(2)
    expect([1, 2]).toContain(late.get('tea.poured'))
    await expect.poll(async () => (await counts.read()).get('tea.poured'), { timeout: 20_000 }).toBe(2)
  })
})
