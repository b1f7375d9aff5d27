import { AppError } from '@huitou/plugin-api'
import { createTestCore, engines, type TestCore } from '@huitou/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { addRecordingChannel, type RecordingChannel, testOwner } from '../../test/recording-channel.ts'
import { transact } from '../db/database.ts'
import { type NewDelivery, planDeliveries } from '../journeys/outbox.ts'
import { writeContactPolicy, type ContactPolicy } from './policy.ts'
import { prepareBatch } from './prepare.ts'
import { cancelDelivery } from './queries.ts'
import { recordReceipts } from './receipts.ts'
import { expireLeases } from './reconcile.ts'

const START = '2026-11-21T10:00:00+08:00'
const HOUR = 3_600_000
const open: ContactPolicy = {
  quietHours: null,
  caps: { perDay: null, perWeek: null, perChannelPerDay: {} },
  budgets: [],
  fatigue: null,
  consentNeeded: [],
}

describe.each(engines)('deliveries on %s', (engine) => {
  let core: TestCore
  let sms: RecordingChannel
  let next = 0

  beforeAll(async () => {
    core = await createTestCore({ engine, now: START })
  })
  afterAll(() => core[Symbol.asyncDispose]())
  beforeEach(async () => {
    core.clock.set(START)
    sms?.remove()
    sms = addRecordingChannel(core.points)
    for (const table of [
      'deliveries',
      'delivery_events',
      'contact_days',
      'contact_channels',
      'consents',
      'channel_accounts',
    ] as const)
      await core.database.db.deleteFrom(table).execute()
    await writeContactPolicy(core.database.db, open)
  })

  /** A customer with a phone of its own. */
  async function customer(traits: Record<string, unknown> = {}): Promise<number> {
    const phone = `+86138${String(++next).padStart(8, '0')}`
    await core.send({ type: 'identify', userId: `u${next}`, traits: { phone, name: `N${next}`, ...traits } })
    await core.settle()
    const row = await core.database.db
      .selectFrom('identifiers')
      .select('customer_id')
      .where('value', '=', `u${next}`)
      .executeTakeFirstOrThrow()
    return row.customer_id
  }

  async function plan(delivery: Partial<NewDelivery> & { customerId: number }): Promise<string> {
    const key = delivery.key ?? `k${++next}`
    await transact(core.database.db, (tx) =>
      planDeliveries(
        tx,
        [
          {
            key,
            kind: 'message',
            channel: sms.id,
            account: '',
            content: { text: 'Hello' },
            dueAt: core.clock.now(),
            ...delivery,
          },
        ],
        core.clock.now(),
      ),
    )
    return key
  }

  async function stateOf(key: string) {
    const { state, reason } = await core.database.db
      .selectFrom('deliveries')
      .select(['state', 'reason'])
      .where('key', '=', key)
      .executeTakeFirstOrThrow()
    return reason === null ? state : `${state}: ${reason}`
  }

  async function timelineOf(id: number): Promise<string[]> {
    const rows = await core.database.db
      .selectFrom('timeline')
      .select('name')
      .where('customer_id', '=', id)
      .where('name', 'like', 'message.%')
      .orderBy('seq')
      .execute()
    return rows.map(({ name }) => name)
  }

  test('a message goes out once, with its variables, and stands on the timeline', async () => {
    const id = await customer()
    const key = await plan({ customerId: id, content: { text: 'Dear {{customer.t_name}}' } })
    await plan({ customerId: id, key })
    await core.settle()
    await core.settle()
    expect(sms.received.map(({ content }) => content)).toEqual([{ text: `Dear N${next - 1}` }])
    expect(await stateOf(key)).toBe('sent')
    expect(await timelineOf(id)).toEqual(['message.sent'])
  })

  test('a variable without a value keeps the message back and says so', async () => {
    const id = await customer()
    const key = await plan({ customerId: id, content: { text: 'Dear {{customer.t_nickname}}' } })
    await core.settle()
    expect([sms.received.length, await stateOf(key)]).toEqual([0, 'refused: content'])
    expect(await timelineOf(id)).toEqual(['message.refused'])
  })

  test('nobody without an address, or who is not known any more, gets anything', async () => {
    await core.send({ type: 'identify', userId: 'nophone' })
    await core.settle()
    const { customer_id } = await core.database.db
      .selectFrom('identifiers')
      .select('customer_id')
      .where('value', '=', 'nophone')
      .executeTakeFirstOrThrow()
    const a = await plan({ customerId: customer_id })
    const b = await plan({ customerId: 9_999_999 })
    await core.settle()
    expect([await stateOf(a), await stateOf(b)]).toEqual(['refused: no_address', 'refused: gone'])
  })

  test('whoever unsubscribes gets no more marketing, but still hears of the order', async () => {
    const id = await customer()
    const first = await plan({ customerId: id })
    await core.settle()
    await transact(core.database.db, (tx) =>
      recordReceipts(tx, {
        channel: sms.id,
        receipts: [{ providerId: `p:${first}`, kind: 'unsubscribed', at: core.clock.now() }],
        now: core.clock.now(),
      }),
    )
    await core.settle()
    const marketing = await plan({ customerId: id })
    const service = await plan({ customerId: id, purpose: 'service' })
    await core.settle()
    expect([await stateOf(marketing), await stateOf(service)]).toEqual(['refused: consent_withdrawn', 'sent'])
  })

  test('consent where it is needed, and nobody is profiled against their will', async () => {
    await writeContactPolicy(core.database.db, { ...open, consentNeeded: [sms.id] })
    const [yes, silent, unwilling] = [await customer(), await customer(), await customer()]
    const nameOf = async (id: number) =>
      (
        await core.database.db
          .selectFrom('identifiers')
          .select('value')
          .where('customer_id', '=', id)
          .where('kind', '=', 'user_id')
          .executeTakeFirstOrThrow()
      ).value
    for (const id of [yes, unwilling])
      await core.send({
        type: 'track',
        event: 'consent.granted',
        userId: await nameOf(id),
        properties: { channel: sms.id },
      })
    await core.send({
      type: 'track',
      event: 'consent.withdrawn',
      userId: await nameOf(unwilling),
      properties: { purpose: 'profiling' },
    })
    await core.settle()
    const keys = [
      await plan({ customerId: yes }),
      await plan({ customerId: silent }),
      await plan({ customerId: unwilling }),
    ]
    await core.settle()
    expect(await Promise.all(keys.map(stateOf))).toEqual([
      'sent',
      'refused: no_consent',
      'refused: do_not_profile',
    ])
  })

  test('quiet hours are the customer’s own, and end on the minute', async () => {
    await writeContactPolicy(core.database.db, { ...open, quietHours: { from: '21:00', to: '09:00' } })
    core.clock.set('2026-11-21T22:00:00+08:00')
    const here = await plan({ customerId: await customer() })
    // 15:00 in Berlin.
    const abroad = await plan({ customerId: await customer({ timezone: 'Europe/Berlin' }) })
    const late = await plan({
      customerId: await customer(),
      expiresAt: Date.parse('2026-11-22T08:00:00+08:00'),
    })
    await core.settle()
    expect(await Promise.all([here, abroad, late].map(stateOf))).toEqual([
      'planned: quiet_hours',
      'sent',
      'refused: expired',
    ])
    core.clock.set('2026-11-22T08:59:59+08:00')
    await core.settle()
    expect(await stateOf(here)).toBe('planned: quiet_hours')
    core.clock.set('2026-11-22T09:00:00+08:00')
    await core.settle()
    expect(await stateOf(here)).toBe('sent')
  })

  test('caps hold for messages that are due together, and the important one gets the slot', async () => {
    await writeContactPolicy(core.database.db, {
      ...open,
      caps: { perDay: 1, perWeek: null, perChannelPerDay: {} },
    })
    const id = await customer()
    const small = await plan({ customerId: id })
    const great = await plan({ customerId: id, priority: 5 })
    await core.settle()
    expect([await stateOf(small), await stateOf(great)]).toEqual(['refused: cap_day', 'sent'])
    core.clock.advance(24 * HOUR)
    const tomorrow = await plan({ customerId: id })
    await core.settle()
    expect(await stateOf(tomorrow)).toBe('sent')
  })

  test('a quota of a platform is shared by its channels, also for service messages', async () => {
    const other = addRecordingChannel(core.points, { id: 'test.channel/moments' })
    await writeContactPolicy(core.database.db, {
      ...open,
      budgets: [{ name: 'month', channels: [sms.id, other.id], per: 'month', limit: 2, scope: 'customer' }],
    })
    const id = await customer()
    const keys = [
      await plan({ customerId: id }),
      await plan({ customerId: id, channel: other.id, purpose: 'service' }),
      await plan({ customerId: id, channel: other.id, purpose: 'service', dueAt: core.clock.now() + 5 }),
    ]
    await core.settle()
    core.clock.advance(10)
    await core.settle()
    other.remove()
    expect(await Promise.all(keys.map(stateOf))).toEqual(['sent', 'sent', 'refused: budget'])
  })

  test('three messages unopened in a row pause the channel, and the next-best one takes over', async () => {
    const mail = addRecordingChannel(core.points, { id: 'test.channel/mail' })
    await writeContactPolicy(core.database.db, { ...open, fatigue: { unopened: 3, pauseDays: 30 } })
    const id = await customer()
    for (let day = 0; day < 3; day++) {
      await plan({ customerId: id })
      await core.settle()
      core.clock.advance(24 * HOUR)
    }
    const key = await plan({
      customerId: id,
      alternatives: [{ channel: mail.id, account: '', content: { html: 'Hi' } }],
    })
    const alone = await plan({ customerId: id })
    await core.settle()
    mail.remove()
    expect([sms.received.length, mail.received.length]).toEqual([3, 1])
    expect([await stateOf(key), await stateOf(alone)]).toEqual(['sent', 'refused: fatigue'])
  })

  test('a gate of a plugin says no, or later', async () => {
    let verdict: { allow: true } | { allow: false; reason: string; retryAt?: number } = {
      allow: false,
      reason: 'sold out',
    }
    const undo = core.points.gates.add(testOwner, 'test.channel/stock', {
      id: 'stock',
      title: 'Stock',
      run: () => verdict,
    })
    const id = await customer()
    const no = await plan({ customerId: id })
    await core.settle()
    verdict = { allow: false, reason: 'soon', retryAt: core.clock.now() + HOUR }
    const later = await plan({ customerId: id })
    await core.settle()
    expect([await stateOf(no), await stateOf(later)]).toEqual(['refused: gate', 'planned: gate'])
    verdict = { allow: true }
    core.clock.advance(HOUR)
    await core.settle()
    undo()
    expect(await stateOf(later)).toBe('sent')
  })

  test('the provider’s limit is kept over any time, and nothing is lost to it', async () => {
    sms.remove()
    sms = addRecordingChannel(core.points, { limits: { perSecond: 5, batchSize: 10 } })
    const id = await customer()
    for (let index = 0; index < 23; index++) await plan({ customerId: id })
    const perSecond: number[] = []
    for (let second = 0; second < 6; second++) {
      const before = sms.received.length
      await core.settle()
      perSecond.push(sms.received.length - before)
      core.clock.advance(1_000)
    }
    expect(perSecond).toEqual([5, 5, 5, 5, 3, 0])
  })

  test('a message that fails is tried again, later each time, and ends among the dead', async () => {
    sms.answer = ({ key }) => ({ key, outcome: 'failed', code: 'BUSY', message: 'Busy' })
    const key = await plan({ customerId: await customer() })
    const attempts: number[] = []
    for (let hour = 0; hour < 12; hour++) {
      await core.settle()
      const { attempts: count } = await core.database.db
        .selectFrom('deliveries')
        .select('attempts')
        .where('key', '=', key)
        .executeTakeFirstOrThrow()
      if (count !== attempts.at(-1)) attempts.push(count)
      core.clock.advance(HOUR)
      if ((await stateOf(key)).startsWith('dead')) break
    }
    expect([attempts.at(-1), await stateOf(key)]).toEqual([8, 'dead: attempts'])
  })

  test('a channel that is away for a day loses nothing and costs no message an attempt', async () => {
    sms.failure = new Error('no route to host')
    const keys = [await plan({ customerId: await customer() }), await plan({ customerId: await customer() })]
    for (let step = 0; step < 12; step++) {
      await core.settle()
      core.clock.advance(2 * HOUR)
    }
    sms.failure = undefined
    await core.settle()
    core.clock.advance(HOUR)
    await core.settle()
    expect(await Promise.all(keys.map(stateOf))).toEqual(['sent', 'sent'])
    expect(sms.received).toHaveLength(2)
  })

  test('a message whose answer is lost is looked up, not sent again', async () => {
    let lose = true
    sms.answer = ({ key }) => (lose ? 'lost' : { key, outcome: 'sent' })
    const key = await plan({ customerId: await customer() })
    await core.settle()
    expect(await stateOf(key)).toBe('unknown: no_answer')
    lose = false
    core.clock.advance(60_000)
    await core.settle()
    expect([await stateOf(key), sms.received.length]).toEqual(['sent', 1])
  })

  test('a lease that ran out is looked up; what never arrived is sent, and takes one slot only', async () => {
    await writeContactPolicy(core.database.db, {
      ...open,
      caps: { perDay: 1, perWeek: null, perChannelPerDay: {} },
    })
    const key = await plan({ customerId: await customer() })
    const prepared = await prepareBatch(core.deliveries.context, { channel: sms.id, account: '' })
    expect(prepared?.leased).toHaveLength(1)
    await core.settle()
    expect(await stateOf(key)).toBe('leased')
    core.clock.advance(10 * 60_000)
    await core.settle()
    expect([await stateOf(key), sms.received.length]).toEqual(['sent', 1])
  })

  test('a message taken back after its lease ran out has given its slot back once', async () => {
    await writeContactPolicy(core.database.db, {
      ...open,
      caps: { perDay: 1, perWeek: null, perChannelPerDay: {} },
    })
    const channel = addRecordingChannel(core.points, { id: 'test.channel/sure', idempotent: true })
    const id = await customer()
    const key = await plan({ customerId: id, channel: channel.id })
    await prepareBatch(core.deliveries.context, { channel: channel.id, account: '' })
    core.clock.advance(10 * 60_000)
    await expireLeases(core.deliveries.context)
    expect(await stateOf(key)).toBe('planned: no_answer')
    const { id: delivery } = await core.database.db
      .selectFrom('deliveries')
      .select('id')
      .where('key', '=', key)
      .executeTakeFirstOrThrow()
    await cancelDelivery(core, delivery)
    channel.remove()
    const days = await core.database.db.selectFrom('contact_days').select('count').execute()
    expect(days.map(({ count }) => Number(count))).toEqual([0, 0])
  })

  test('receipts in any order, twice, and before the answer end in the same state', async () => {
    const id = await customer()
    const key = await plan({ customerId: id })
    const at = core.clock.now()
    const tell = (kind: 'delivered' | 'read' | 'clicked') =>
      transact(core.database.db, (tx) =>
        recordReceipts(tx, {
          channel: sms.id,
          receipts: [{ providerId: `p:${key}`, kind, at }],
          now: core.clock.now(),
        }),
      )
    await tell('delivered')
    await core.settle()
    expect(await stateOf(key)).toBe('delivered')
    expect([await tell('read'), await tell('delivered'), await tell('read')]).toEqual([1, 0, 0])
    await core.settle()
    expect(await stateOf(key)).toBe('read')
    expect((await timelineOf(id)).toSorted()).toEqual(['message.delivered', 'message.read', 'message.sent'])
  })

  test('a customer who became part of another is counted and asked as one', async () => {
    await writeContactPolicy(core.database.db, {
      ...open,
      caps: { perDay: 1, perWeek: null, perChannelPerDay: {} },
    })
    const [a, b] = [await customer(), await customer()]
    await plan({ customerId: b })
    await core.settle()
    await core.send({ type: 'alias', userId: `u${a}`, previousId: `u${a}` })
    const names = await core.database.db
      .selectFrom('identifiers')
      .select('value')
      .where('customer_id', 'in', [a, b])
      .where('kind', '=', 'user_id')
      .orderBy('id')
      .execute()
    await core.send({ type: 'alias', userId: names[0]?.value, previousId: names[1]?.value })
    await core.settle()
    const keys = [await plan({ customerId: a }), await plan({ customerId: b })]
    await core.settle()
    expect(await Promise.all(keys.map(stateOf))).toEqual(['refused: cap_day', 'refused: cap_day'])
  })

  test('an action runs once; after a lost answer only one that may be repeated runs again', async () => {
    const runs: string[] = []
    let lose = true
    const run = (_: unknown, { key }: { key: string }) => {
      runs.push(key)
      if (lose) throw new AppError('world', 'E_PLUGIN_CRASHED', 'gone')
    }
    const undos = [
      core.points.actions.add(testOwner, 'test.channel/careful', { id: 'careful', title: 'A', run }),
      core.points.actions.add(testOwner, 'test.channel/same', {
        id: 'same',
        title: 'B',
        idempotent: true,
        run,
      }),
    ]
    const id = await customer()
    const a = await plan({ customerId: id, kind: 'action', channel: 'test.channel/careful', content: {} })
    const b = await plan({ customerId: id, kind: 'action', channel: 'test.channel/same', content: {} })
    await core.settle()
    lose = false
    core.clock.advance(HOUR)
    await core.settle()
    for (const undo of undos) undo()
    expect([await stateOf(a), await stateOf(b)]).toEqual(['unknown: no_answer', 'done'])
    expect(runs.toSorted()).toEqual([a, b, b].toSorted())
  })
})
