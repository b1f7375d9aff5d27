import { createTestCore, engines } from '@huitou/testing'
import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import type { SignedIn } from '../http/env.ts'
import { answerProblem } from '../http/problem.ts'
import { DEFAULT_HOURS } from '../tasks/business-hours.ts'
import { writeBusinessHours } from '../tasks/queues.ts'
import { requestRoutes } from './request-routes.ts'
import { customerRightsRoutes } from './routes.ts'

const DAY = 86_400_000
const endOf = (day: string) => Date.parse(`${day}T23:59:59.999+08:00`)

describe.each(engines)('requests of customers on %s', (engine) => {
  test('are due after working days of the brand, and somebody is told before and after', async () => {
    const { core, ask, idOf } = await openShop(engine)
    await using _ = core
    const customerId = await idOf('a')
    const asked = { customerId, way: 'phone', askedBy: 'herself, asked for her last order' }
    // A Friday; the Monday after is a holiday of the brand's own.
    await writeBusinessHours(core.database.db, {
      ...DEFAULT_HOURS,
      days: [{ date: '2026-11-23', ranges: [], note: '' }],
    })
    const deadlines = {
      workingDays: { access: 5, correction: 15, erasure: 15, stop_profiling: 1, export: 30 },
      remindBefore: 3,
    }
    const first = await ask('/requests', { ...asked, kind: 'erasure' })
    expect(first).toMatchObject({ status: 201, body: { dueAt: endOf('2026-12-14') } })
    expect((await ask('/requests/deadlines', deadlines, 'PUT')).status).toBe(200)
    const second = await ask('/requests', { ...asked, kind: 'access', note: '13800000000' })
    expect(second.body).toMatchObject({ dueAt: endOf('2026-11-30') })
    const early = { ...asked, kind: 'access', askedAt: core.clock.now() + DAY }
    expect((await ask('/requests', early)).body['code']).toBe('E_REQUEST_FUTURE')

    const pressing = async () =>
      (await ask('/requests')).body['requests'].map((row: { pressing: string }) => row.pressing)
    expect(await pressing()).toEqual([null, null])
    expect((await core.watch.look()).raised).toEqual([])
    // Three working days before the last.
    core.clock.advance(5 * DAY)
    expect(await pressing()).toEqual(['soon', null])
    expect((await core.watch.look()).raised).toMatchObject([{ kind: 'requests_due', severity: 'warning' }])
    core.clock.advance(6 * DAY)
    expect(await pressing()).toEqual(['overdue', null])
    expect(await core.watch.look()).toMatchObject({
      raised: [{ kind: 'requests_due', subject: 'overdue', severity: 'critical' }],
      resolved: [{ kind: 'requests_due', subject: 'soon' }],
    })
    const { id } = second.body
    expect((await ask(`/requests/${id}/take`, {})).status).toBe(200)
    const logged = core.database.db.selectFrom('audit_log').select(['user_id', 'action', 'subject'])
    expect(await logged.orderBy('id', 'desc').executeTakeFirst()).toEqual({
      user_id: 'u1',
      action: 'privacy-request.take',
      subject: id,
    })
    const refusal = { state: 'refused', answer: 'not who she says' }
    expect((await ask(`/requests/${id}/finish`, refusal)).status).toBe(200)
    expect((await ask(`/requests/${id}/finish`, refusal)).body['code']).toBe('E_REQUEST_CLOSED')
    expect((await core.watch.look()).resolved).toMatchObject([{ subject: 'overdue' }])
    expect((await ask('/requests?state=closed')).body['requests']).toMatchObject([
      { id, state: 'refused', handler: 'u1', late: true, pressing: null, customer: { id: customerId } },
    ])
  })

  test('are closed once what they ask for was done, and are linked with it', async () => {
    const { core, ask, idOf, send } = await openShop(engine)
    await using _ = core
    const customerId = await idOf('a')
    const open = async (kind: string) => {
      const given = { customerId, kind, way: 'email', askedBy: 'Lin Qing', note: 'from 13800000000' }
      return (await ask('/requests', given)).body['id'] as string
    }
    const [copy, stop, erase] = [await open('export'), await open('stop_profiling'), await open('erasure')]
    const finish = async (id: string) =>
      (await ask(`/requests/${id}/finish`, { state: 'done', answer: 'Done, told by e-mail' })).body['code']
    expect([await finish(stop), await finish(erase)]).toEqual(['E_REQUEST_NOT_DONE', 'E_REQUEST_NOT_DONE'])
    await send('/file', { reason: 'asked for it' })
    await core.send({
      type: 'track',
      event: 'consent.withdrawn',
      userId: 'a',
      properties: { purpose: 'profiling' },
    })
    await core.settle()
    expect([await finish(copy), await finish(stop)]).toEqual([undefined, undefined])
    const ofHer = (await ask(`/requests?customerId=${customerId}`)).body['requests'] as { id: string }[]
    expect(Object.fromEntries(ofHer.map((row) => [row.id, row]))).toMatchObject({
      [copy]: { state: 'done', result: expect.stringMatching(/^export:\d+$/) },
      [stop]: { state: 'done', result: `consent:${customerId}` },
      [erase]: { state: 'open' },
    })

    const erased = await send('/erase', { reason: 'asked', confirm: 'Lin Qing' })
    const closed = (await ask('/requests?state=closed')).body['requests'] as { id: string }[]
    const bare = { customer: null, askedBy: '', note: '', answer: null, erasureId: erased['erasureId'] }
    expect(closed).toHaveLength(3)
    for (const row of closed) expect(row).toMatchObject({ state: 'done', ...bare })
    expect(closed.find(({ id }) => id === erase)).toMatchObject({
      result: `erasure:${erased['erasureId']}`,
      handler: 'u1',
    })
  })
})

async function openShop(engine: 'sqlite' | 'postgres') {
  const core = await createTestCore({ engine, now: '2026-11-20T10:00:00+08:00' })
  const app = new Hono<SignedIn>()
    .use(async (c, next) => {
      c.set('user', { id: 'u1', name: 'U', email: 'u@example.com', role: 'owner', locale: 'en' } as never)
      await next()
    })
    .route('/requests', requestRoutes(core))
    .route('/customers', customerRightsRoutes(core))
  app.onError((error, c) => answerProblem(c, error, core.log))
  const send = (path: string, body?: unknown, method = body === undefined ? 'GET' : 'POST') =>
    app.request(path, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
    })
  const ask = async (...given: Parameters<typeof send>) => {
    const answer = await send(...given)
    return { status: answer.status, body: (await answer.json()) as Record<string, any> }
  }
  await core.send({ type: 'identify', userId: 'a', traits: { name: 'Lin Qing', phone: '13800000000' } })
  await core.settle()
  const idOf = async (key: string) =>
    (
      await core.database.db
        .selectFrom('profiles')
        .select('customer_id')
        .where('key', '=', key)
        .executeTakeFirstOrThrow()
    ).customer_id
  return {
    core,
    ask,
    idOf,
    async send(path: string, body: unknown) {
      const answer = await send(`/customers/${await idOf('a')}${path}`, body)
      const isJson = answer.headers.get('content-type')?.includes('json')
      return isJson ? ((await answer.json()) as Record<string, any>) : {}
    },
  }
}
