import { createTestCore, engines } from '@huitou/testing'
import { describe, expect, test } from 'vitest'
import { readResponseHistory } from './response-history.ts'

const at = (time: string) => Date.parse(`${time}+08:00`)

describe.each(engines)('answers over time on %s', (engine) => {
  test('a message counts in the day or week it was sent, where the brand is, by channel and journey', async () => {
    await using core = await createTestCore({ engine, now: '2026-11-22T10:00:00+08:00' })
    const add = async (key: string, sent: string, told: Record<string, string>, more: object = {}) => {
      const base = { content: '{}', context: '{}', alternatives: '[]', account: '', priority: 0 }
      const { id } = await core.database.db
        .insertInto('deliveries')
        .values({
          ...base,
          key,
          kind: 'message',
          customer_id: 1,
          channel: 'x.sms/sms',
          purpose: 'marketing',
          state: 'sent',
          planned_at: at(sent),
          due_at: at(sent),
          sent_at: at(sent),
          updated_at: at(sent),
          ...more,
        })
        .returning('id')
        .executeTakeFirstOrThrow()
      for (const [kind, time] of Object.entries(told))
        await core.database.db
          .insertInto('delivery_events')
          .values({ delivery_id: id, at: at(time), kind })
          .execute()
    }
    await add('a', '2026-11-15T23:59:00', { sent: '2026-11-15T23:59:00', read: '2026-11-20T08:00:00' })
    await add('b', '2026-11-16T00:00:00', { delivered: '2026-11-16T00:01:00' }, { journey_id: 'j' })
    await add('c', '2026-11-17T09:00:00', { clicked: '2026-11-17T09:05:00', replied: '2026-11-17T09:06:00' })
    await add('d', '2026-11-17T09:00:00', { unsubscribed: '2026-11-18T09:00:00' }, { channel: 'x.mail/mail' })
    await add('test', '2026-11-17T09:00:00', {}, { purpose: 'test' })
    await add('waits', '2026-11-17T09:00:00', { pending: '2026-11-17T09:00:00' }, { state: 'pending' })
    await add('old', '2026-10-01T09:00:00', {})
    const none = { delivered: 0, opened: 0, clicked: 0, replied: 0 }
    const ends = { unsubscribed: 0, complained: 0, bounced: 0 }
    const sms = { channel: 'x.sms/sms', ...none, ...ends }
    const weeks = await readResponseHistory(core, { by: 'week', days: 8 })
    expect(weeks.periods).toEqual([
      { ...sms, day: '2026-11-09', sent: 1, delivered: 1, opened: 1 },
      { ...sms, day: '2026-11-16', channel: 'x.mail/mail', sent: 1, unsubscribed: 1 },
      { ...sms, day: '2026-11-16', sent: 2, delivered: 2, opened: 1, clicked: 1, replied: 1 },
    ])
    const days = await readResponseHistory(core, { by: 'day', days: 7, journeyId: 'j' })
    expect(days.periods).toEqual([{ ...sms, day: '2026-11-16', sent: 1, delivered: 1 }])
    expect(weeks.staff).toMatchObject([{ channel: 'x.sms/sms', asked: 1, confirmed: 0, waiting: 1 }])
  })
})
