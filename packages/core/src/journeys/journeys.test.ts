import { createTestCore, engines, type TestCore } from '@huitou/testing'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { addRecordingChannel, type RecordingChannel } from '../../test/recording-channel.ts'
import { transact } from '../db/database.ts'
import { writeContactPolicy } from '../deliveries/policy.ts'
import { createSegment } from '../segments/queries.ts'
import { changeJourneyState, createJourney, enrolmentsOf, publishJourney, updateJourney } from './queries.ts'
import { journeyStats } from './node-stats.ts'

const START = '2026-11-21T10:00:00+08:00'
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const send = (text: string, next?: string) => ({
  type: 'send',
  channel: 'test.channel/sms',
  content: { text },
  purpose: 'service',
  ...(next ? { next } : {}),
})
const noHoldout = { holdout: { percent: 0 } }
const unpaid = {
  ...noHoldout,
  trigger: { type: 'event', event: 'order.created', key: 'order_id' },
  exits: [{ event: 'order.paid', key: 'order_id' }],
  start: 'wait',
  nodes: {
    wait: { type: 'wait', for: { hours: 2 }, next: 'remind' },
    remind: send('Order {{event.order_id}} waits'),
  },
}

describe.each(engines)('journeys on %s', (engine) => {
  let core: TestCore
  let sms: RecordingChannel
  let count = 0

  beforeAll(async () => {
    core = await createTestCore({ engine, now: START })
    sms = addRecordingChannel(core.points)
    await writeContactPolicy(core.database.db, {
      quietHours: null,
      caps: { perDay: null, perWeek: null, perChannelPerDay: {} },
      budgets: [],
      fatigue: null,
      consentNeeded: [],
    })
  })
  afterAll(() => core[Symbol.asyncDispose]())
  beforeEach(async () => {
    core.clock.set(START)
    sms.received.length = 0
    for (const table of [
      'enrolments',
      'enrolment_steps',
      'journey_stats',
      'journey_versions',
      'journeys',
    ] as const)
      await core.database.db.deleteFrom(table).execute()
  })

  async function start(definition: unknown): Promise<string> {
    const { id } = await createJourney(core, { name: 'J', definition })
    await publishJourney(core, id, 'test')
    return id
  }

  /** Someone with a phone, by their user id. */
  async function someone(traits: Record<string, unknown> = {}): Promise<string> {
    const userId = `j${++count}`
    const phone = `+86139${String(count).padStart(8, '0')}`
    await core.send({ type: 'identify', userId, traits: { phone, ...traits } })
    await core.settle()
    return userId
  }

  const happens = async (userId: string, event: string, properties: Record<string, unknown> = {}) => {
    await core.send({
      type: 'track',
      event,
      userId,
      properties,
      timestamp: new Date(core.clock.now()).toISOString(),
    })
    await core.settle()
  }
  const at = async (milliseconds: number) => {
    core.clock.advance(milliseconds)
    await core.settle()
  }
  const texts = () => sms.received.map(({ content }) => content['text'])
  const idOf = async (userId: string) =>
    (
      await core.database.db
        .selectFrom('identifiers')
        .select('customer_id')
        .where('value', '=', userId)
        .executeTakeFirstOrThrow()
    ).customer_id

  test('a reminder comes two hours after the order, to the second, for each order not paid', async () => {
    await start(unpaid)
    const user = await someone()
    await happens(user, 'order.created', { order_id: 'A' })
    await at(30 * MINUTE)
    await happens(user, 'order.created', { order_id: 'B' })
    await happens(user, 'order.created', { order_id: 'B' })
    await at(10 * MINUTE)
    await happens(user, 'order.paid', { order_id: 'B' })
    await at(80 * MINUTE - 1_000)
    expect(texts()).toEqual([])
    await at(1_000)
    expect(texts()).toEqual(['Order A waits'])
    await at(24 * HOUR)
    expect(texts()).toEqual(['Order A waits'])
  })

  test('an order that is paid in the same moment as it comes in reminds nobody', async () => {
    await start(unpaid)
    const user = await someone()
    const timestamp = new Date(core.clock.now()).toISOString()
    await core.send(
      { type: 'track', event: 'order.created', userId: user, properties: { order_id: 'A' }, timestamp },
      { type: 'track', event: 'order.paid', userId: user, properties: { order_id: 'A' }, timestamp },
    )
    await core.settle()
    await at(3 * HOUR)
    expect(texts()).toEqual([])
  })

  test('an order of last year that is imported today starts nothing', async () => {
    await start(unpaid)
    const user = await someone()
    await core.send({
      type: 'track',
      event: 'order.created',
      userId: user,
      properties: { order_id: 'A' },
      timestamp: '2025-11-21T10:00:00Z',
    })
    await core.settle()
    await at(3 * HOUR)
    expect([texts(), await enrolmentsOf(core.database.db, await idOf(user))]).toEqual([[], []])
  })

  test('waiting for an event: it comes, it is another order’s, or time runs out', async () => {
    await start({
      ...noHoldout,
      trigger: { type: 'event', event: 'order.shipped', key: 'order_id' },
      start: 'wait',
      nodes: {
        wait: {
          type: 'wait_event',
          event: 'order.signed',
          key: 'order_id',
          timeout: { days: 5 },
          next: 'thanks',
          otherwise: 'late',
        },
        thanks: send('thanks {{event.order_id}}'),
        late: send('late {{event.order_id}}'),
      },
    })
    const user = await someone()
    await happens(user, 'order.shipped', { order_id: 'A' })
    await happens(user, 'order.shipped', { order_id: 'B' })
    await at(24 * HOUR)
    await happens(user, 'order.signed', { order_id: 'B' })
    expect(texts()).toEqual(['thanks B'])
    await at(4 * 24 * HOUR)
    expect(texts()).toEqual(['thanks B', 'late A'])
  })

  test('branches, splits, tags and traits lead where they say', async () => {
    // A column exists once somebody has a value in it.
    await someone({ city: '北京' })
    const definition = {
      ...noHoldout,
      trigger: { type: 'event', event: 'visit' },
      start: 'branch',
      nodes: {
        branch: {
          type: 'branch',
          cases: [
            { rule: { all: [{ column: 't_city', op: 'is', value: '上海' }] }, next: 'split' },
            { where: [{ property: 'page', op: 'in', value: ['vip'] }], next: 'tag' },
          ],
          otherwise: 'end',
        },
        split: {
          type: 'split',
          arms: [
            { name: 'a', weight: 1, next: 'a' },
            { name: 'b', weight: 1, next: 'a' },
          ],
        },
        a: send('city'),
        tag: { type: 'tag', tag: 'vip', next: 'trait' },
        trait: { type: 'set_trait', trait: 'level', value: 'gold' },
        end: { type: 'end', reason: 'nothing' },
      },
    }
    const journey = await start(definition)
    const [shanghai, vip, other] = [await someone({ city: '上海' }), await someone(), await someone()]
    await happens(shanghai, 'visit', { page: 'home' })
    await happens(vip, 'visit', { page: 'vip' })
    await happens(other, 'visit', { page: 'home' })
    expect(texts()).toEqual(['city'])
    const row = (await core.database.db
      .selectFrom('profiles')
      .selectAll()
      .where('customer_id', '=', await idOf(vip))
      .executeTakeFirstOrThrow()) as Record<string, unknown>
    expect([row['t_level'], row['t_tag_vip']]).toEqual(['gold', 'true'])
    const stats = await journeyStats(core.database.db, journey)
    expect(stats.find(({ node }) => node === 'branch')?.outcomes).toEqual({
      'case:1': 1,
      'case:2': 1,
      otherwise: 1,
    })
  })

  test('entering a segment starts, leaving it ends', async () => {
    await someone({ level: 'silver' })
    const segment = await createSegment(core, {
      name: `Gold ${count}`,
      rule: { all: [{ column: 't_level', op: 'is', value: 'platinum' }] },
    })
    await core.settle()
    await start({
      ...noHoldout,
      trigger: { type: 'segment', segment: segment.id },
      exits: [{ segment: segment.id, on: 'leave' }],
      start: 'now',
      nodes: {
        now: send('welcome', 'wait'),
        wait: { type: 'wait', for: { days: 1 }, next: 'later' },
        later: send('still there'),
      },
    })
    const [stays, leaves] = [await someone({ level: 'platinum' }), await someone({ level: 'platinum' })]
    expect(texts()).toEqual(['welcome', 'welcome'])
    core.clock.advance(1_000)
    await core.send({ type: 'identify', userId: leaves, traits: { level: 'none' } })
    await core.settle()
    await at(25 * HOUR)
    expect(texts()).toEqual(['welcome', 'welcome', 'still there'])
    expect((await enrolmentsOf(core.database.db, await idOf(stays)))[0]?.state).toBe('done')
  })

  test('birthdays by the sun and by the moon', async () => {
    await someone({ birthday: '1999-01-01' })
    const solar = {
      ...noHoldout,
      trigger: { type: 'date', column: 't_birthday', at: '09:00' },
      start: 'hi',
      nodes: { hi: send('solar') },
    }
    await start(solar)
    await start({
      ...solar,
      trigger: { ...solar.trigger, calendar: 'lunar', offsetDays: -1 },
      nodes: { hi: send('lunar') },
    })
    await someone({ birthday: '1990-11-22' })
    // The 15th of the tenth month; in 2026 that is 23 November.
    await someone({ birthday: '1990-12-01' })
    await at(22 * HOUR + 59 * MINUTE)
    expect(texts()).toEqual([])
    await at(MINUTE)
    expect(texts().toSorted()).toEqual(['lunar', 'solar'])
    await at(24 * HOUR)
    expect(texts()).toHaveLength(2)
  })

  test('a schedule runs in the brand’s zone, for whom the filter lets in', async () => {
    await someone({ club: 'no' })
    await start({
      ...noHoldout,
      trigger: { type: 'schedule', cron: '30 18 * * 1-5' },
      filter: { all: [{ column: 't_club', op: 'is', value: 'yes' }] },
      start: 'hi',
      nodes: { hi: send('club') },
    })
    await someone({ club: 'yes' })
    core.clock.set('2026-11-23T18:29:59+08:00')
    await core.settle()
    expect(texts()).toEqual([])
    await at(1_000)
    expect(texts()).toEqual(['club'])
    await at(24 * HOUR)
    expect(texts()).toEqual(['club', 'club'])
  })

  test('a pause between runs counts whatever the run; the third of its kind starts, the fourth does not again', async () => {
    await someone({ crowd: 'no' })
    await start({
      ...noHoldout,
      trigger: { type: 'schedule', cron: '0 18 * * *' },
      filter: { all: [{ column: 't_crowd', op: 'is', value: 'yes' }] },
      reentry: { afterDays: 2 },
      start: 'hi',
      nodes: { hi: send('crowd') },
    })
    await start({
      ...noHoldout,
      trigger: { type: 'event', event: 'view', key: 'shelf', times: { count: 3, days: 7 } },
      start: 'night',
      nodes: {
        night: { type: 'wait_until', time: '08:00', until: '21:00', next: 'hi' },
        hi: send('{{event.shelf}}'),
      },
    })
    const user = await someone({ crowd: 'yes' })
    for (let day = 0; day < 4; day++) await at(24 * HOUR)
    expect(texts()).toEqual(['crowd', 'crowd'])
    for (const shelf of ['a', 'b', 'a', 'a', 'a']) await happens(user, 'view', { shelf })
    expect(texts().slice(2)).toEqual(['a'])
    await at(12 * HOUR)
    for (let views = 0; views < 2; views++) await happens(user, 'view', { shelf: 'b' })
    expect(texts().slice(3)).not.toContain('b')
    await at(10 * HOUR)
    expect(texts()).toContain('b')
  })

  test('a draft that somebody else changed meanwhile is not written over', async () => {
    const { id, updatedAt } = await createJourney(core, { name: 'Unpaid', definition: unpaid })
    core.clock.set('2026-11-21T10:01:00+08:00')
    await updateJourney(core, id, { name: 'Theirs', basedOn: updatedAt })
    await expect(updateJourney(core, id, { name: 'Mine', basedOn: updatedAt })).rejects.toMatchObject({
      code: 'E_JOURNEY_CHANGED',
    })
    expect(await updateJourney(core, id, { name: 'Mine' })).toMatchObject({ name: 'Mine' })
  })

  test('who is under way finishes on their version; a pause loses nothing; an end lets them finish', async () => {
    const id = await start(unpaid)
    const user = await someone()
    await happens(user, 'order.created', { order_id: 'A' })
    await updateJourney(core, id, {
      definition: { ...unpaid, nodes: { ...unpaid.nodes, remind: send('New {{event.order_id}}') } },
    })
    await publishJourney(core, id, 'test')
    await happens(user, 'order.created', { order_id: 'B' })
    await changeJourneyState(core, id, 'paused')
    await at(3 * HOUR)
    await happens(user, 'order.created', { order_id: 'C' })
    expect(texts()).toEqual([])
    await changeJourneyState(core, id, 'ended')
    await core.settle()
    expect(texts().toSorted()).toEqual(['New B', 'Order A waits'])
  })

  test('a share is held out, always the same people, and both arms’ goals are counted', async () => {
    const id = await start({
      trigger: { type: 'event', event: 'visit' },
      holdout: { percent: 50 },
      goal: { event: 'order.paid', withinDays: 7 },
      start: 'hi',
      nodes: { hi: send('hi') },
    })
    const users: string[] = []
    for (let index = 0; index < 12; index++) users.push(await someone())
    for (const user of users) await core.send({ type: 'track', event: 'visit', userId: user })
    await core.settle()
    await at(HOUR)
    for (const user of users)
      await core.send({
        type: 'track',
        event: 'order.paid',
        userId: user,
        timestamp: new Date(core.clock.now()).toISOString(),
      })
    await core.settle()
    const stats = await journeyStats(core.database.db, id)
    const entry = stats.find(({ node }) => node === '$entry')?.outcomes ?? {}
    const goals = stats.find(({ node }) => node === '$goal')?.outcomes ?? {}
    expect((entry['treated'] ?? 0) + (entry['holdout'] ?? 0)).toBe(12)
    expect(goals).toEqual(entry)
    expect(texts()).toHaveLength(entry['treated'] ?? 0)
  })

  test('two customers who become one get it once; one who is erased gets nothing', async () => {
    await start({
      ...unpaid,
      trigger: { type: 'event', event: 'order.created' },
      exits: [],
      nodes: { ...unpaid.nodes, remind: send('hi') },
    })
    const [a, b, gone] = [await someone(), await someone(), await someone()]
    for (const user of [a, b, gone]) await happens(user, 'order.created', { order_id: 'x' })
    await core.send({ type: 'alias', userId: a, previousId: b })
    await core.settle()
    await core.database.db
      .deleteFrom('identifiers')
      .where('customer_id', '=', await idOf(gone))
      .execute()
    await at(3 * HOUR)
    expect(texts()).toEqual(['hi'])
    const reasons = await core.database.db
      .selectFrom('enrolments')
      .select('ended_reason')
      .where('ended_reason', '<>', 'end')
      .orderBy('id')
      .execute()
    expect(reasons.map(({ ended_reason }) => ended_reason)).toEqual(['merged', 'erased'])
  })

  test('a human step goes on where its outcome leads, or without it when time runs out', async () => {
    await start({
      ...noHoldout,
      trigger: { type: 'event', event: 'payment.failed' },
      start: 'call',
      nodes: {
        call: {
          type: 'task',
          kind: 'call',
          title: 'Call',
          dueMinutes: 3,
          outcomes: { reached: 'thanks' },
          timeout: { hours: 1 },
          otherwise: 'sorry',
        },
        thanks: send('thanks'),
        sorry: send('sorry'),
      },
    })
    const [a, b] = [await someone(), await someone()]
    await happens(a, 'payment.failed')
    await happens(b, 'payment.failed')
    const { waiting_for } = await core.database.db
      .selectFrom('enrolments')
      .select('waiting_for')
      .where('customer_id', '=', await idOf(a))
      .executeTakeFirstOrThrow()
    const key = String(waiting_for).slice('task:'.length)
    const finish = () => transact(core.database.db, (tx) => core.journeys.finishHumanStep(tx, key, 'reached'))
    expect([await finish(), await finish()]).toEqual([true, false])
    await at(HOUR)
    expect(texts()).toEqual(['thanks', 'sorry'])
  })

  test('after a long stop waits go on from where they are, and a clock set back repeats nothing', async () => {
    await start({
      ...noHoldout,
      trigger: { type: 'event', event: 'visit' },
      start: 'w1',
      nodes: {
        w1: { type: 'wait', for: { hours: 1 }, next: 'one' },
        one: send('one', 'w2'),
        w2: { type: 'wait', for: { hours: 1 }, next: 'two' },
        two: send('two'),
      },
    })
    const user = await someone()
    await happens(user, 'visit')
    await at(10 * HOUR)
    expect(texts()).toEqual(['one'])
    core.clock.set(START)
    await core.settle()
    expect(texts()).toEqual(['one'])
    await at(11 * HOUR + 1_000)
    expect(texts()).toEqual(['one', 'two'])
  })

  test.runIf(engine === 'sqlite')('who waits is found by an index, and by nothing else', async () => {
    const { rows } = await sql<{ detail: string }>`
      explain query plan select * from enrolments where due_at <= 1 order by due_at limit 10`.execute(
      core.database.db,
    )
    expect(rows.map(({ detail }) => detail)).toEqual([
      'SEARCH enrolments USING INDEX enrolments_due (due_at<?)',
    ])
  })
})
