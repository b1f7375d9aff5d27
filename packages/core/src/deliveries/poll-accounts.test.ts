import type { PollAnswer, PollRequest } from '@huitou/plugin-api'
import { createTestCore, engines } from '@huitou/testing'
import { expect, test } from 'vitest'
import { addRecordingChannel } from '../../test/recording-channel.ts'
import { listAccounts, saveAccount } from './accounts.ts'
import { writeContactPolicy } from './policy.ts'
import { markReachable, readUnreachable } from './reachability.ts'
import { createJourney, publishJourney } from '../journeys/queries.ts'

const box = { seal: (text: string) => text, open: (text: string) => text }

test.each(engines)(
  'an account is polled by itself, from where the stored answer ends, on %s',
  async (engine) => {
    await using core = await createTestCore({ engine, now: '2026-11-21T10:00:00+08:00' })
    const asked: PollRequest[] = []
    const answers: (PollAnswer | Error)[] = []
    const mail = addRecordingChannel(core.points, { pollSeconds: 60 })
    mail.poll = (request) => {
      asked.push(request)
      const answer = answers.shift() ?? { receipts: [] }
      if (answer instanceof Error) throw answer
      return answer
    }
    const { id } = await saveAccount(
      { ...core, box },
      { channel: mail.id, name: 'Box', settings: { host: 'mail' } },
    )
    answers.push({ receipts: [], cursor: '7', more: true }, new Error('away'), {
      receipts: [{ providerId: 'x', kind: 'bounced', at: core.clock.now() }],
      cursor: '9',
    })
    await core.settle()
    expect(asked).toEqual([
      { settings: { host: 'mail' }, pending: [] },
      { settings: { host: 'mail' }, pending: [], cursor: '7' },
    ])
    const error = async () => (await listAccounts(core.database.db, core.clock.now()))[0]?.lastError
    expect(await error()).toBe('poll: away')
    // What could not be asked is asked again, from the same place, and not before its time.
    await core.settle()
    expect(asked).toHaveLength(2)
    core.clock.advance(60_000)
    await core.settle()
    core.clock.advance(60_000)
    await core.settle()
    expect(await error()).toBeNull()
    expect(asked.slice(2).map(({ cursor }) => cursor)).toEqual(['7', '9'])
    // Another mailbox, perhaps: it is read from the beginning.
    await saveAccount({ ...core, box }, { id, channel: mail.id, name: 'Box', settings: { host: 'other' } })
    await core.settle()
    expect(asked.at(-1)).toEqual({ settings: { host: 'other' }, pending: [] })
  },
)

test.each(engines)(
  'an address that is none gets nothing more, and another one does, on %s',
  async (engine) => {
    await using core = await createTestCore({ engine, now: '2026-11-21T10:00:00+08:00' })
    const mail = addRecordingChannel(core.points, { address: 'email', pollSeconds: 60 })
    await writeContactPolicy(core.database.db, {
      quietHours: null,
      caps: { perDay: null, perWeek: null, perChannelPerDay: {} },
      budgets: [],
      fatigue: null,
      consentNeeded: [],
    })
    await saveAccount({ ...core, box }, { channel: mail.id, name: 'Box', settings: { host: 'mail' } })
    const { id } = await createJourney(core, {
      name: 'J',
      definition: {
        trigger: { type: 'event', event: 'visit' },
        reentry: { afterDays: 0 },
        holdout: { percent: 0 },
        start: 'hi',
        nodes: { hi: { type: 'send', channel: mail.id, content: { text: 'Hi' }, purpose: 'service' } },
      },
    })
    await publishJourney(core, id, 'test')
    const visit = async (email: string) => {
      core.clock.advance(61_000)
      const timestamp = new Date(core.clock.now()).toISOString()
      await core.send({
        type: 'track',
        event: 'visit',
        userId: 'u1',
        context: { traits: { email } },
        timestamp,
      })
      await core.settle()
      return mail.received.map(({ address }) => address)
    }
    const comesBack = async (permanent: boolean) => {
      const key = mail.received.at(-1)!.key
      mail.receipts.push({ providerId: `p:${key}`, kind: 'bounced', at: core.clock.now(), permanent })
      core.clock.advance(61_000)
      await core.settle()
    }
    expect(await visit('a@x.example')).toEqual(['a@x.example'])
    const { customer_id: customer } = await core.database.db
      .selectFrom('deliveries')
      .select('customer_id')
      .executeTakeFirstOrThrow()
    await comesBack(false)
    expect(await readUnreachable(core.database.db, customer)).toEqual([
      { channel: mail.id, undeliverableAt: null, bounced: 1 },
    ])
    expect(await visit('a@x.example')).toHaveLength(2)
    await comesBack(true)
    expect(await visit('a@x.example')).toHaveLength(2)
    const last = await core.database.db
      .selectFrom('deliveries')
      .select(['state', 'reason'])
      .orderBy('id', 'desc')
      .executeTakeFirst()
    expect(last).toEqual({ state: 'refused', reason: 'undeliverable' })
    expect(await visit('b@x.example')).toEqual(['a@x.example', 'a@x.example', 'b@x.example'])
    await comesBack(true)
    await markReachable(core.database.db, customer, mail.id)
    expect(await visit('b@x.example')).toHaveLength(4)
    expect(await readUnreachable(core.database.db, customer)).toEqual([])
    // The provider may know at once, before anything came back.
    mail.answer = ({ key }) => ({ key, outcome: 'refused', code: '550', message: 'no', permanent: true })
    expect(await visit('c@x.example')).toHaveLength(4)
    expect(await readUnreachable(core.database.db, customer)).toMatchObject([
      { channel: mail.id, bounced: 0 },
    ])
    mail.answer = undefined
    expect(await visit('c@x.example')).toHaveLength(4)
    expect(await visit('d@x.example')).toHaveLength(5)
  },
)
