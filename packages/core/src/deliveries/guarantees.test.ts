import type { Channel, ChannelContribution, DeliveryResult } from '@huitou/plugin-api'
import { createTestCore, engines } from '@huitou/testing'
import { describe, expect, test } from 'vitest'
import { testOwner } from '../../test/recording-channel.ts'
import { transact } from '../db/database.ts'
import { planDeliveries } from '../journeys/outbox.ts'
import { writeContactPolicy } from './policy.ts'
import { readResponseHistory } from './response-history.ts'

const HOUR = 3_600_000
const CHAT = 'test.channel/chat'

describe.each(engines)('what channels guarantee on %s', (engine) => {
  async function open(declared: Partial<ChannelContribution>, run: Partial<Channel> = {}) {
    const core = await createTestCore({ engine, now: '2026-11-21T10:00:00+08:00' })
    await writeContactPolicy(core.database.db, {
      quietHours: null,
      caps: { perDay: null, perWeek: null, perChannelPerDay: {} },
      budgets: [],
      fatigue: null,
      consentNeeded: [],
    })
    const sent: { key: string; attempt: number | undefined }[] = []
    core.points.channels.add(testOwner, CHAT, {
      id: 'chat',
      title: 'Chat',
      messages: ['text'],
      guarantee: 'pushed',
      address: 'user_id',
      content: { type: 'object' },
      ...declared,
      run: {
        send({ deliveries }) {
          for (const { key, attempt } of deliveries) sent.push({ key, attempt })
          const outcome = declared.guarantee === 'confirmed' ? 'pending' : 'sent'
          return deliveries.map(({ key }): DeliveryResult => ({ key, outcome, providerId: key }))
        },
        ...run,
      },
    })
    const happens = async (userId: string, event: string) => {
      const timestamp = new Date(core.clock.now()).toISOString()
      await core.send({ type: 'track', event, userId, timestamp })
      await core.settle()
    }
    const plan = async (userId: string, ...keys: string[]) => {
      const { customer_id } = await core.database.db
        .selectFrom('identifiers')
        .select('customer_id')
        .where('value', '=', userId)
        .executeTakeFirstOrThrow()
      const now = core.clock.now()
      await transact(core.database.db, (tx) =>
        planDeliveries(
          tx,
          keys.map((key) => ({
            key,
            kind: 'message',
            customerId: customer_id,
            channel: CHAT,
            account: '',
            content: { text: 'Hi' },
            dueAt: now,
          })),
          now,
        ),
      )
      await core.settle()
    }
    const stateOf = async (key: string) => {
      const row = await core.database.db
        .selectFrom('deliveries')
        .select(['state', 'reason'])
        .where('key', '=', key)
        .executeTakeFirstOrThrow()
      return row.reason === null ? row.state : `${row.state}: ${row.reason}`
    }
    const later = async (milliseconds: number) => {
      core.clock.advance(milliseconds)
      await core.settle()
    }
    return {
      core,
      sent,
      happens,
      plan,
      stateOf,
      later,
      [Symbol.asyncDispose]: () => core[Symbol.asyncDispose](),
    }
  }

  test('a window is open for so long after what the customer did last, and no longer', async () => {
    await using world = await open({
      guarantee: 'windowed',
      limits: { windowHours: 48 },
      openedBy: ['chat.said'],
    })
    const { happens, plan, stateOf, later } = world
    await happens('u1', 'visit')
    await plan('u1', 'before')
    await happens('u1', 'chat.said')
    await later(48 * HOUR - 1_000)
    await plan('u1', 'inside')
    await later(1_000)
    await plan('u1', 'after')
    await happens('u1', 'chat.said')
    await plan('u1', 'again')
    expect([
      await stateOf('before'),
      await stateOf('inside'),
      await stateOf('after'),
      await stateOf('again'),
    ]).toEqual(['refused: window_closed', 'sent', 'refused: window_closed', 'sent'])
  })

  test('each subscription gives one message, whatever batch asks for it', async () => {
    await using world = await open({ guarantee: 'credit', openedBy: ['subscribed'] })
    const { happens, plan, stateOf, sent } = world
    await happens('u1', 'visit')
    await plan('u1', 'none')
    await happens('u1', 'subscribed')
    await happens('u1', 'subscribed')
    await plan('u1', 'a', 'b', 'c')
    expect(await stateOf('none')).toBe('refused: no_credit')
    expect(sent).toHaveLength(2)
    await plan('u1', 'd')
    expect(await stateOf('d')).toBe('refused: no_credit')
    await happens('u1', 'subscribed')
    await plan('u1', 'e')
    expect(await stateOf('e')).toBe('sent')
  })

  test('who has to confirm is reminded three times in a day; then somebody else is asked, and somebody else', async () => {
    const reminded: string[] = []
    await using world = await open(
      { guarantee: 'confirmed' },
      {
        remind: ({ pending }) => void reminded.push(...pending.map(({ key }) => key)),
        withdraw: ({ pending }) => pending.map(({ key }) => ({ key, outcome: 'withdrawn' as const })),
      },
    )
    const { core, happens, plan, stateOf, later, sent } = world
    await happens('u1', 'visit')
    await plan('u1', 'm')
    expect(await stateOf('m')).toBe('pending')
    for (let hour = 0; hour < 23; hour++) await later(HOUR)
    expect([reminded, sent]).toEqual([['m', 'm', 'm'], [{ key: 'm', attempt: 1 }]])
    const staff = async () => (await readResponseHistory(core, { by: 'day', days: 7 })).staff
    expect(await staff()).toMatchObject([{ asked: 1, waiting: 1, reminders: 3, reminders24h: 3 }])
    for (let hour = 0; hour < 3; hour++) await later(HOUR)
    expect(sent).toEqual([
      { key: 'm', attempt: 1 },
      { key: 'm', attempt: 2 },
    ])
    for (let hour = 0; hour < 60; hour += 2) await later(2 * HOUR)
    expect(sent).toHaveLength(3)
    expect(await stateOf('m')).toBe('refused: unconfirmed')
    expect(await staff()).toMatchObject([{ asked: 1, confirmed: 0, waiting: 0, givenUp: 1, reassigned: 2 }])
    const touches = await core.database.db.selectFrom('contact_days').select('count').execute()
    expect(touches.every(({ count }) => count === 0)).toBe(true)
    const told = await core.database.db
      .selectFrom('timeline')
      .select('name')
      .where('name', '=', 'message.refused')
      .execute()
    expect(told).toHaveLength(1)
  })

  test('what was confirmed while it was being taken back is not sent again', async () => {
    await using world = await open(
      { guarantee: 'confirmed', confirm: { remindAfterHours: 1, reassignAfterHours: 2 } },
      { withdraw: ({ pending }) => pending.map(({ key }) => ({ key, outcome: 'sent' as const })) },
    )
    const { happens, plan, stateOf, later, sent } = world
    await happens('u1', 'visit')
    await plan('u1', 'm')
    for (let hour = 0; hour < 5; hour++) await later(HOUR)
    expect([await stateOf('m'), sent.length]).toEqual(['sent', 1])
  })
})
