import { createTestCore, engines } from '@huitou/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { addRecordingChannel } from '../../test/recording-channel.ts'
import { signedIn } from '../../test/signed-in.ts'
import { journeyResultRoutes } from '../experiments/journey-routes.ts'
import { enrolmentRoutes } from './enrolment-routes.ts'
import { journeyRoutes } from './routes.ts'
import { journeyStopRoutes } from './stop-routes.ts'

const HOUR = 3_600_000

const hello = {
  type: 'send',
  channel: 'test.channel/sms',
  content: { text: 'Everything is free today' },
  purpose: 'service',
}
const definition = {
  trigger: { type: 'event', event: 'visit' },
  holdout: { percent: 30 },
  goal: { event: 'order.paid', withinDays: 14, leave: true },
  reentry: { afterDays: 0 },
  start: 'kind',
  nodes: {
    kind: {
      type: 'branch',
      cases: [
        { where: [{ property: 'kind', op: 'is', value: 'wait' }], next: 'wait' },
        { where: [{ property: 'kind', op: 'is', value: 'call' }], next: 'call' },
      ],
      otherwise: 'hello',
    },
    wait: { type: 'wait', for: { hours: 2 }, next: 'hello' },
    call: { type: 'task', kind: 'call', title: 'Call', dueMinutes: 5, next: 'hello' },
    hello,
  },
}

describe.each(engines)('everybody is taken out on %s', (engine) => {
  async function open() {
    const core = await createTestCore({ engine, now: '2026-11-21T10:00:00+08:00' })
    onTestFinished(() => core[Symbol.asyncDispose]())
    const call = signedIn(core, (app) =>
      app
        .route('/journeys', journeyResultRoutes(core))
        .route('/journeys', enrolmentRoutes(core))
        .route('/journeys', journeyStopRoutes(core))
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
    return { core, ask, happens, sms: addRecordingChannel(core.points) }
  }

  test('nothing more goes out from that moment, and the figures stay what they were', async () => {
    const { core, ask, happens, sms } = await open()
    const { db } = core.database
    const { id } = await ask('POST', '', { name: 'J', definition })
    expect((await ask('POST', `/${id}/stop`))['code']).toBe('E_JOURNEY_DRAFT')
    await ask('POST', `/${id}/publish`)
    // One message fails and is tried again; of one nobody knows what became of it, and it never arrived.
    let asked = 0
    sms.answer = ({ key }) =>
      ++asked % 2 === 0
        ? { key, outcome: 'unknown' }
        : { key, outcome: 'failed', code: 'busy', message: 'Try again' }
    for (let index = 0; index < 30; index++)
      await core.send({
        type: 'identify',
        userId: `u${index}`,
        traits: { phone: `+86139${String(index).padStart(8, '0')}` },
      })
    await core.settle()
    for (let index = 0; index < 30; index++)
      await happens(`u${index}`, 'visit', { kind: ['wait', 'call', 'send'][index % 3] })
    await core.settle()
    const before = await ask('GET', `/${id}/results`)
    const [treated, holdout] = before['arms']
    const { people, messages, tasks } = await ask('GET', `/${id}/under-way`)
    expect(people).toBeGreaterThan(10)
    expect(messages).toBeGreaterThan(1)
    expect(tasks).toBeGreaterThan(1)

    const { jobId, status } = await ask('POST', `/${id}/stop`)
    expect(status).toBe(202)
    // The job may come late, be killed or run twice: whoever falls due meanwhile leaves, and nobody is sent anything.
    sms.answer = undefined
    core.clock.advance(3 * HOUR)
    await core.settle()
    const running = new AbortController()
    const ran = core.jobs.run(running.signal)
    const job = await core.jobs.finished(jobId)
    running.abort()
    await ran
    await core.settle()
    expect(job).toMatchObject({ state: 'done', progress: { done: people, total: people } })
    expect(job.result).toMatchObject({ customers: people })
    expect(sms.received).toEqual([])
    expect(await ask('GET', `/${id}/under-way`)).toMatchObject({ people: 0, messages: 0, tasks: 0 })

    const states = await db
      .selectFrom('deliveries')
      .select(['state', 'reason', (row) => row.fn.countAll<number>().as('count')])
      .groupBy(['state', 'reason'])
      .execute()
    expect(states).toMatchObject([{ state: 'cancelled', reason: 'journey_stopped' }])
    const left = await db.selectFrom('tasks').select('state').distinct().execute()
    expect(left).toEqual([{ state: 'cancelled' }])
    const told = await db
      .selectFrom('timeline')
      .select('customer_id')
      .where('name', '=', 'journey.taken_out')
      .execute()
    expect(told).toHaveLength(people)
    const { body } = await db
      .selectFrom('events')
      .select('body')
      .where('name', '=', 'journey.taken_out')
      .limit(1)
      .executeTakeFirstOrThrow()
    expect(JSON.parse(body)).toMatchObject({ properties: { journey: 'J', reason: 'stopped' } })
    const { nodes } = await ask('GET', `/${id}/stats`)
    expect(nodes.find(({ node }: any) => node === '$exit')).toMatchObject({ outcomes: { stopped: people } })

    // Whoever was taken out still counts where chance put them, and so does what they do.
    for (let index = 0; index < 30; index++) await happens(`u${index}`, 'order.paid')
    await core.settle()
    const { arms } = await ask('GET', `/${id}/results`)
    expect(arms).toMatchObject([
      { customers: treated.customers, reached: treated.customers },
      { customers: holdout.customers, reached: holdout.customers },
    ])
  })

  test('whoever comes in when it goes on is a different matter', async () => {
    const { core, ask, happens, sms } = await open()
    const everybody = { ...definition, holdout: { percent: 0 } }
    const { id } = await ask('POST', '', { name: 'J', definition: everybody })
    await ask('POST', `/${id}/publish`)
    await core.send({ type: 'identify', userId: 'a', traits: { phone: '+8613900000001' } })
    await happens('a', 'visit', { kind: 'wait' })
    await core.settle()
    await ask('POST', `/${id}/pause`)
    await ask('POST', `/${id}/stop`)
    await ask('POST', `/${id}/resume`)
    core.clock.advance(3 * HOUR)
    await core.settle()
    expect(sms.received).toEqual([])
    await happens('a', 'visit')
    await core.settle()
    expect(sms.received).toMatchObject([{ address: '+8613900000001' }])
  })
})
