import { createTestCore, engines } from '@huitou/testing'
import { describe, expect, test } from 'vitest'
import { addRecordingChannel } from '../../test/recording-channel.ts'
import { signedIn } from '../../test/signed-in.ts'
import { journeyResultRoutes } from '../experiments/journey-routes.ts'
import { enrolmentRoutes } from './enrolment-routes.ts'
import { journeyRoutes } from './routes.ts'

const HOUR = 3_600_000
const TRIAL = 'test.channel/trial'

describe.each(engines)('people in journeys on %s', (engine) => {
  async function open() {
    const core = await createTestCore({
      engine,
      now: '2026-11-21T10:00:00+08:00',
      journeys: { trialChannel: TRIAL },
    })
    const sms = addRecordingChannel(core.points)
    const call = signedIn(core, (app) =>
      app
        .route('/journeys', journeyResultRoutes(core))
        .route('/journeys', enrolmentRoutes(core))
        .route('/journeys', journeyRoutes(core)),
    )
    const ask = async (method: string, path: string, body?: unknown) => {
      const answer = await call(method, `/journeys${path}`, body)
      const read = (await answer.json()) as Record<string, any>
      return { ...read, status: answer.status } as Record<string, any>
    }
    const happens = async (userId: string, event: string, properties = {}) =>
      await core.send({
        type: 'track',
        event,
        userId,
        properties,
        timestamp: new Date(core.clock.now()).toISOString(),
      })
    return { core, sms, ask, happens, [Symbol.asyncDispose]: () => core[Symbol.asyncDispose]() }
  }

  const definition = {
    trigger: { type: 'event', event: 'visit' },
    holdout: { percent: 50 },
    goal: { event: 'order.paid', withinDays: 14, leave: false },
    start: 'split',
    nodes: {
      split: {
        type: 'split',
        arms: [
          { name: 'a', weight: 1, next: 'wait' },
          { name: 'b', weight: 1, next: 'hello' },
        ],
      },
      wait: { type: 'wait', for: { hours: 2 }, next: 'hello' },
      hello: {
        type: 'send',
        channel: 'test.channel/sms',
        content: { text: 'Hi {{customer.t_name}}' },
        purpose: 'service',
      },
    },
  }

  test('who came in, where each stands, what it came to; one is taken out by hand', async () => {
    await using world = await open()
    const { core, ask, happens } = world
    const users = Array.from({ length: 60 }, (_, index) => `u${index}`)
    core.points.eventTypes.add(
      { plugin: 'test.shop', prefix: 'shop', text: (text) => text as never },
      'order.paid',
      { name: 'order.paid', title: 'Paid', value: 'total', valueType: 'money' },
    )
    for (const [index, userId] of users.entries())
      await core.send({
        type: 'identify',
        userId,
        traits: { name: `N${index}`, phone: `+86139${String(index).padStart(8, '0')}` },
      })
    const { id } = await ask('POST', '', { name: 'J', definition })
    await ask('POST', `/${id}/publish`)
    for (const user of users) await happens(user, 'visit')
    await core.settle()
    core.clock.advance(HOUR)

    const { enrolments } = await ask('GET', `/${id}/enrolments?limit=200`)
    expect(enrolments).toHaveLength(60)
    const treated = enrolments.filter(({ arm }: any) => arm === 'treated')
    const waiting = await ask('GET', `/${id}/enrolments?node=wait&state=waiting`)
    const [first] = waiting['enrolments']
    expect(first).toMatchObject({
      customer: { name: expect.stringMatching(/^N\d+$/) },
      isTest: false,
      dueAt: core.clock.now() + HOUR,
      endedAt: null,
    })
    const [page, rest] = [
      await ask('GET', `/${id}/enrolments?limit=20`),
      await ask('GET', `/${id}/enrolments?limit=200&before=${enrolments[19].id}`),
    ]
    expect([page['enrolments'].length, page['next'], rest['enrolments'].length]).toEqual([
      20,
      enrolments[19].id,
      40,
    ])

    const stopped = await ask('POST', `/${id}/enrolments/${first.id}/stop`)
    expect(stopped).toMatchObject({ state: 'exited', endedReason: 'by_hand', steps: [{ outcome: 'arm:a' }] })
    expect((await ask('POST', `/${id}/enrolments/${first.id}/stop`))['code']).toBe('E_ENROLMENT_ENDED')

    for (const { customer } of treated.slice(0, 10)) {
      const user = `u${customer.name.slice(1)}`
      await happens(user, 'order.paid', { total: 12.5 })
    }
    await core.settle()
    core.clock.advance(2 * HOUR)
    await core.settle()

    const { nodes } = await ask('GET', `/${id}/stats`)
    const at = (node: string) => nodes.find((each: any) => each.node === node)
    const through = at('split').outcomes
    expect(through['arm:a'] + through['arm:b']).toBe(treated.length)
    expect(at('wait')).toMatchObject({
      entered: through['arm:a'],
      waiting: 0,
      left: 1,
      done: through['arm:a'] - 1,
    })
    expect(at('hello').deliveries).toEqual({ sent: treated.length - 1 })

    const results = await ask('GET', `/${id}/results`)
    expect(results['arms']).toMatchObject([
      { arm: 'treated', share: 0.5, customers: treated.length, reached: 10, revenue: 12_500 },
      { arm: 'holdout', customers: 60 - treated.length, reached: 0, revenue: 0 },
    ])
    expect(results['difference']).toMatchObject({
      against: 'holdout',
      // Too few for an interval that may be looked at whenever one likes.
      rate: { test: 'proportions', anytime: null, incremental: { estimate: 10 } },
      revenue: { test: 'welch' },
    })
    expect(results['sampleRatio'].alarm).toBe(false)
    const [split] = results['splits']
    expect(split).toMatchObject({ node: 'split', comparisons: [{ arm: 'b', against: 'a' }] })
    expect(split.arms.map(({ customers }: any) => customers)).toEqual([through['arm:a'], through['arm:b']])
    expect(split.arms[0].reached + split.arms[1].reached).toBe(10)

    const { versions } = await ask('GET', `/${id}/versions`)
    expect(versions).toMatchObject([
      { version: 1, publishedBy: 'u1', active: 0, definition: { start: 'split' } },
    ])
  })

  test('a test goes through the draft without waiting, reaches nobody and counts nowhere', async () => {
    await using world = await open()
    const { core, sms, ask, happens } = world
    await core.send({ type: 'identify', userId: 'w', traits: { name: 'Wang', phone: '+8613900000001' } })
    await happens('w', 'visit')
    await core.settle()
    const customerId = (
      await core.database.db
        .selectFrom('identifiers')
        .select('customer_id')
        .where('value', '=', 'w')
        .executeTakeFirstOrThrow()
    ).customer_id
    const draft = {
      ...definition,
      goal: undefined,
      start: 'wait',
      nodes: {
        wait: { type: 'wait', for: { days: 3 }, next: 'tag' },
        tag: { type: 'tag', tag: 'tried', next: 'work' },
        work: { type: 'task', kind: 'call', title: 'Call', dueMinutes: 5, next: 'hello' },
        hello: { ...definition.nodes.hello, content: { text: 'Hi {{customer.t_name}}, {{event.page}}' } },
      },
    }
    const { id } = await ask('POST', '', { name: 'J', definition: draft })
    const request = { customerId, event: { page: 'home' } }
    expect((await ask('POST', `/${id}/test`, request))['code']).toBe('E_TRIAL_CHANNEL')
    const trial = addRecordingChannel(core.points, { id: TRIAL, address: 'user_id' })
    const { id: enrolment, status } = await ask('POST', `/${id}/test`, request)
    expect(status).toBe(201)
    await core.settle()
    expect(trial.received).toMatchObject([
      { address: 'w', content: { title: '【测试】', text: 'Hi Wang, home' } },
    ])
    expect(sms.received).toEqual([])
    expect(await ask('GET', `/${id}/enrolments/${enrolment}`)).toMatchObject({
      isTest: true,
      state: 'done',
      steps: [
        { node: 'wait', outcome: 'trial:skipped' },
        { node: 'tag', outcome: 'trial:skipped' },
        { node: 'work', outcome: 'trial:skipped' },
        { node: 'hello', outcome: 'planned' },
      ],
      deliveries: [{ node: 'hello', state: 'sent', channel: TRIAL }],
    })

    expect(await ask('GET', `/${id}/enrolments`)).toMatchObject({ enrolments: [] })
    expect(await ask('GET', `/${id}/stats`)).toMatchObject({ nodes: [] })
    expect((await ask('GET', `/${id}/enrolments?tests=true`))['enrolments']).toHaveLength(1)
    const touches = await core.database.db.selectFrom('contact_days').selectAll().execute()
    const told = await core.database.db
      .selectFrom('timeline')
      .select('name')
      .where('name', 'like', 'message.%')
      .execute()
    expect([touches, told]).toEqual([[], []])

    // The draft changes and is tried again, for real time; then it is published and lets the same customer in.
    await ask('PUT', `/${id}`, { definition: { ...draft, holdout: { percent: 0 } } })
    await ask('POST', `/${id}/test`, { ...request, waits: 'real' })
    await core.settle()
    expect(trial.received).toHaveLength(1)
    await ask('POST', `/${id}/publish`)
    await happens('w', 'visit', { page: 'shoes' })
    await core.settle()
    core.clock.advance(72 * HOUR)
    await core.settle()
    expect(trial.received).toHaveLength(2)
    expect(await ask('GET', `/${id}/versions`)).toMatchObject({ versions: [{ version: 1 }] })
    const { enrolments } = await ask('GET', `/${id}/enrolments`)
    expect(enrolments).toMatchObject([{ version: 1, node: 'work' }])
  })

  test('a canvas is told what it may offer', async () => {
    await using world = await open()
    const points = await world.ask('GET', '/points')
    expect(points['festivals']).toContainEqual({
      id: 'spring_festival',
      title: { en: 'Spring Festival', 'zh-CN': '春节' },
      next: '2027-02-06',
    })
  })
})
