import { createTestCore, engines, type TestCore } from '@huitou/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { addRecordingChannel, type RecordingChannel } from '../../test/recording-channel.ts'
import { transact } from '../db/database.ts'
import { type NewDelivery, planDeliveries } from '../journeys/outbox.ts'
import { orderRoutes } from './channel-choice.ts'
import { listDeliveries } from './delivery-log.ts'
import { previewPolicy } from './policy-effect.ts'
import { type ContactPolicy, writeContactPolicy } from './policy.ts'
import { getDelivery } from './queries.ts'
import { rehearseJourney } from './rehearse.ts'

const MAIL = 'test.channel/mail'
const open: ContactPolicy = {
  quietHours: null,
  caps: { perDay: null, perWeek: null, perChannelPerDay: {} },
  budgets: [],
  fatigue: null,
  consentNeeded: [],
}
const rich = { all: [{ column: 't_basket', op: 'is' as const, value: 'large' }] }
const gone = { all: [{ column: 'commerce_orders', op: 'gte' as const, value: 2 }] }

test('the first rule with a channel of the message decides, then the best answers, then the plan', () => {
  const routes = [{ channel: 'a' }, { channel: 'b' }, { channel: 'c' }]
  const rule = (name: string, ...channels: string[]) => ({ name, rule: rich, channels })
  const order = (choice: Parameters<typeof orderRoutes>[1]) => {
    const ordered = orderRoutes(routes, choice)
    return ordered && [ordered.routes.map(({ channel }) => channel).join(''), ordered.reason.by]
  }
  const answering = [
    { channel: 'x', rate: 0.9, sent: 9 },
    { channel: 'c', rate: 0.5, sent: 4 },
    { channel: 'b', rate: 0.2, sent: 5 },
  ]
  expect(order({ rules: [rule('1', 'x'), rule('2', 'c', 'x', 'b')], answering })).toEqual(['cba', 'rule'])
  expect(order({ rules: [rule('1', 'x')], answering })).toEqual(['cba', 'best'])
  expect(order({ rules: [], answering: answering.slice(2) })).toEqual(['bac', 'best'])
  expect(order({ rules: [rule('1', 'x')], answering: [] })).toBeUndefined()
})

describe.each(engines)('choice of the channel on %s', (engine) => {
  let core: TestCore
  let sms: RecordingChannel
  let mail: RecordingChannel
  let next = 0

  beforeAll(async () => {
    core = await createTestCore({ engine, now: '2026-11-21T10:00:00+08:00' })
    sms = addRecordingChannel(core.points)
    mail = addRecordingChannel(core.points, { id: MAIL, address: 'email' })
    await core.send(
      identify('rich', { basket: 'large' }),
      identify('poor', { basket: 'small' }),
      identify('new', {}),
    )
    await core.settle()
  })
  afterAll(() => core[Symbol.asyncDispose]())
  beforeEach(async () => {
    for (const table of ['deliveries', 'delivery_events', 'contact_channels', 'channel_accounts'] as const)
      await core.database.db.deleteFrom(table).execute()
    sms.received = []
    mail.received = []
  })

  function identify(user: string, traits: Record<string, unknown>) {
    const phone = `+8613800000${String(++next).padStart(3, '0')}`
    return { type: 'identify', userId: user, traits: { phone, email: `${user}@example.com`, ...traits } }
  }

  async function idOf(user: string): Promise<number> {
    const query = core.database.db.selectFrom('identifiers').select('customer_id').where('value', '=', user)
    return (await query.executeTakeFirstOrThrow()).customer_id
  }

  /** A message by mail first, by text message otherwise. */
  async function plan(user: string, more: Partial<NewDelivery> = {}): Promise<void> {
    const delivery: NewDelivery = {
      key: `${user}${++next}`,
      kind: 'message',
      customerId: await idOf(user),
      channel: MAIL,
      account: '',
      content: { text: 'by mail' },
      alternatives: [{ channel: sms.id, account: '', content: { text: 'by text' } }],
      dueAt: core.clock.now(),
      ...more,
    }
    await transact(core.database.db, (tx) => planDeliveries(tx, [delivery], core.clock.now()))
  }

  test('a rule by basket puts one channel first, once and with its reason; what is gone fits nobody', async () => {
    await writeContactPolicy(core.database.db, {
      ...open,
      choice: {
        rules: [
          { name: 'orders often', rule: gone, channels: [MAIL] },
          { name: '', rule: rich, channels: [sms.id] },
        ],
        best: null,
      },
    })
    for (const user of ['rich', 'poor', 'new']) await plan(user)
    await plan('rich', { alternatives: [] })
    await plan('rich', { purpose: 'test' })
    await core.settle()
    expect(sms.received.map(({ content }) => content)).toEqual([{ text: 'by text' }])
    expect(mail.received).toHaveLength(4)
    const { deliveries } = await listDeliveries(core.database.db, { limit: 10 })
    const planned = [MAIL, sms.id]
    expect(deliveries.map(({ choice }) => choice).toReversed()).toEqual([
      { channel: sms.id, planned, by: 'rule', name: '', rule: rich },
      { channel: MAIL, planned, by: 'planned' },
      { channel: MAIL, planned, by: 'planned' },
      null,
      null,
    ])
    const chosen = await getDelivery(core.database.db, deliveries.at(-1)!.id)
    expect([chosen.state, chosen.channel, chosen.alternatives]).toEqual(['sent', sms.id, [MAIL]])
    expect(chosen.history.map(({ kind }) => kind)).toContain('chosen')
  })

  test('who is chosen a channel that may not be used falls back; one that is switched off is not chosen', async () => {
    const choice = { rules: [{ name: 'rich', rule: rich, channels: [sms.id] }], best: null }
    await writeContactPolicy(core.database.db, { ...open, consentNeeded: [sms.id], choice })
    await plan('rich')
    await core.settle()
    expect([sms.received.length, mail.received.length]).toEqual([0, 1])
    await writeContactPolicy(core.database.db, { ...open, choice })
    await core.database.db
      .updateTable('channel_accounts')
      .set({ active: 0 })
      .where('channel', '=', sms.id)
      .execute()
    await plan('rich')
    await core.settle()
    expect([sms.received.length, mail.received.length]).toEqual([0, 2])
  })

  test('without a rule the channel that the customer answers best, if it is known well enough', async () => {
    const rates = async (user: string, channel: string, [sent, opened]: [number, number]) =>
      await core.database.db
        .insertInto('contact_channels')
        .values({
          customer_id: await idOf(user),
          channel,
          sent,
          opened,
          clicked: 0,
          replied: 0,
          complained: 0,
          unopened: 0,
          last_sent_at: null,
          last_opened_at: null,
        })
        .execute()
    await rates('rich', MAIL, [10, 1])
    await rates('rich', sms.id, [10, 8])
    await rates('poor', sms.id, [4, 4])
    await rates('new', sms.id, [50, 0])
    await writeContactPolicy(core.database.db, { ...open, choice: { rules: [], best: { atLeast: 5 } } })
    for (const user of ['rich', 'poor', 'new']) await plan(user)
    await core.settle()
    expect(sms.received.map(({ customerId }) => customerId)).toEqual([await idOf('rich')])
    const { deliveries } = await listDeliveries(core.database.db, { channel: sms.id, limit: 10 })
    expect(deliveries[0]?.choice).toMatchObject({ by: 'best', rate: 0.8, sent: 10 })
  })

  test('the preview counts whom each rule fits and what would go another way; so does a rehearsal', async () => {
    await writeContactPolicy(core.database.db, open)
    for (const user of ['rich', 'poor']) await plan(user)
    await core.settle()
    const choice = {
      rules: [
        { name: 'often', rule: gone, channels: [MAIL] },
        { name: 'rich', rule: rich, channels: [sms.id] },
        { name: 'all', rule: { all: [] }, channels: [MAIL] },
      ],
      best: { atLeast: 5 },
    }
    const draft = { ...open, choice }
    expect(await previewPolicy(core, { current: open, draft })).toMatchObject({
      current: { sent: 2, chosen: 0 },
      draft: { sent: 2, chosen: 1 },
      ruleCustomers: [null, 1, 2],
    })
    await writeContactPolicy(core.database.db, draft)
    await core.send({
      type: 'track',
      event: 'visit',
      userId: 'rich',
      timestamp: new Date(core.clock.now()).toISOString(),
    })
    await core.settle()
    core.clock.advance(3_600_000)
    const routes = [
      { channel: MAIL, content: { text: 'a' } },
      { channel: sms.id, content: { text: 'b' } },
    ]
    const rehearsal = await rehearseJourney(core, {
      days: 7,
      definition: {
        trigger: { type: 'event', event: 'visit' },
        holdout: { percent: 0 },
        start: 'hi',
        nodes: { hi: { type: 'send', ...routes[0], alternatives: routes.slice(1) } },
      },
    })
    expect(rehearsal).toMatchObject({
      messages: [{ node: 'hi', channel: sms.id, sent: 1 }],
      choices: [{ choice: { channel: sms.id, by: 'rule', name: 'rich' }, count: 1 }],
    })
  })
})
