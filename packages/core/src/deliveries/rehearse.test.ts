import { createTestCore, engines } from '@huitou/testing'
import { expect, test } from 'vitest'
import { addRecordingChannel } from '../../test/recording-channel.ts'
import { writeContactPolicy } from './policy.ts'
import { rehearseJourney } from './rehearse.ts'

const DAY = 86_400_000

test.each(engines)(
  'a draft over the past days: who comes in, what is sent, which cap breaks (%s)',
  async (engine) => {
    await using core = await createTestCore({ engine, now: '2026-11-21T10:00:00+08:00' })
    const sms = addRecordingChannel(core.points)
    await writeContactPolicy(core.database.db, {
      quietHours: null,
      caps: { perDay: 1, perWeek: null, perChannelPerDay: {} },
      budgets: [],
      fatigue: null,
      consentNeeded: [],
    })
    const order = (user: string, id: string, daysAgo: number, event = 'order.created') => ({
      type: 'track',
      event,
      userId: user,
      properties: { order_id: id },
      context: { traits: { phone: `+8613800000${user}` } },
      timestamp: new Date(core.clock.now() - daysAgo * DAY).toISOString(),
    })
    await core.send(
      order('001', 'A', 10),
      order('001', 'B', 10),
      order('002', 'C', 9),
      order('002', 'C', 9 - 1 / 24, 'order.paid'),
      order('003', 'D', 5),
      order('004', 'E', 200),
    )
    await core.settle()
    const rehearsal = await rehearseJourney(core, {
      days: 90,
      definition: {
        trigger: { type: 'event', event: 'order.created', key: 'order_id' },
        holdout: { percent: 0 },
        goal: { event: 'order.paid', key: 'order_id' },
        start: 'wait',
        nodes: {
          wait: { type: 'wait', for: { hours: 2 }, next: 'remind' },
          remind: { type: 'send', channel: sms.id, content: { text: 'Order {{event.order_id}}' } },
        },
      },
    })
    expect(rehearsal).toMatchObject({
      entered: 4,
      heldOut: 0,
      goals: { treated: 1 },
      messages: [{ node: 'remind', channel: sms.id, sent: 2, refused: 1, waiting: 0 }],
      refusals: [{ reason: 'cap_day', count: 1 }],
      days: [
        { day: '2026-11-11', entered: 2, sent: 1, refused: 1 },
        { day: '2026-11-12', entered: 1, sent: 0, refused: 0 },
        { day: '2026-11-16', entered: 1, sent: 1, refused: 0 },
      ],
    })
    // Nobody heard of it.
    expect(sms.received).toEqual([])
    expect(await core.database.db.selectFrom('deliveries').selectAll().execute()).toEqual([])
  },
)
