import { userError } from '@huitou/plugin-api'
import { createTestCore, engines, type TestCore } from '@huitou/testing'
import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testOwner } from '../../test/recording-channel.ts'
import type { SignedIn } from '../http/env.ts'
import { answerProblem } from '../http/problem.ts'
import { bulkActionRoutes } from './bulk-routes.ts'

const MANY = 45

describe.each(engines)('something done to many customers, on %s', (engine) => {
  let core: TestCore
  let app: Hono<SignedIn>
  const done: { key: string; customerId: number; input: unknown }[] = []
  let during: (() => Promise<unknown>) | undefined

  beforeAll(async () => {
    core = await createTestCore({ engine, now: '2026-11-21T10:00:00+08:00' })
    app = new Hono<SignedIn>()
      .use(async (c, next) => {
        c.set('user', {
          id: 'u1',
          name: 'U',
          email: 'u@example.com',
          role: 'operator',
          locale: 'en',
        } as never)
        await next()
      })
      .route('/customers', bulkActionRoutes(core))
    app.onError((error, c) => answerProblem(c, error, core.log))
    for (const [id, rest] of [
      ['gift', { idempotent: true }],
      ['once', { places: ['bulk'] }],
      ['step', { places: ['journey'] }],
    ] as const)
      core.points.actions.add(testOwner, `test.channel/${id}`, {
        id,
        title: id,
        input: { type: 'object', required: ['text'], properties: { text: { type: 'string' } } },
        ...(rest as object),
        async run(input, { key, customerId = 0 }) {
          await during?.()
          if (input['text'] === 'no u7') throw userError('E_NO', 'Not to this one')
          done.push({ key, customerId, input })
        },
      })
    await core.send(
      ...Array.from({ length: MANY }, (_, index) => ({
        type: 'identify' as const,
        userId: `u${index}`,
        traits: { name: `u${index}`, phone: `+86139${String(index).padStart(8, '0')}` },
      })),
    )
    await core.settle()
    core.start()
  })
  afterAll(() => core[Symbol.asyncDispose]())

  async function ask(method: string, path: string, body?: unknown) {
    const answer = await app.request(`/customers${path}`, {
      method,
      ...(body ? { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } } : {}),
    })
    const read = (await answer.json()) as Record<string, any>
    return { ...read, status: answer.status } as Record<string, any>
  }
  const idOf = async (user: string) =>
    (
      await core.database.db
        .selectFrom('identifiers')
        .select('customer_id')
        .where('value', '=', user)
        .executeTakeFirstOrThrow()
    ).customer_id
  const tagged = async () => (await ask('POST', '/actions/count', { rule: { all: [TAGGED] } }))['count']
  const TAGGED = { column: 't_tag_vip', op: 'is', value: 'true' }

  test('counted first, tagged, and the tag taken off again; what changed meanwhile is asked again', async () => {
    const who = { rule: { any: [{ column: 't_name', op: 'starts_with', value: 'u1' }] } }
    expect(await ask('POST', '/actions/count', who)).toMatchObject({ count: 11, tooMany: false })
    const tag = { ...who, action: 'tag', input: { tag: ' vip ' } }
    expect(await ask('POST', '/actions', { ...tag, expected: 12 })).toMatchObject({
      status: 409,
      code: 'E_PEOPLE_CHANGED',
    })
    const seen = () =>
      core.database.db.selectFrom('profiles').select(['customer_id', 'last_seen_at']).orderBy('key').execute()
    const before = await seen()
    core.clock.advance(60_000)
    const { jobId } = await ask('POST', '/actions', { ...tag, expected: 11 })
    expect(await core.jobs.finished(jobId)).toMatchObject({
      state: 'done',
      title: '{"en":"Add tag “vip”","zh-CN":"添加标签「vip」"}',
      progress: { done: 11, total: 11, unit: 'customers' },
      result: { done: 11, failed: 0, unknown: 0, gone: 0 },
    })
    await core.settle()
    expect(await tagged()).toBe(11)
    // What others do about customers does not make them seen.
    expect(await seen()).toEqual(before)
    const ids = [await idOf('u1'), await idOf('u10')]
    const off = { action: 'untag', input: { tag: 'vip' }, ids, expected: 2 }
    await core.jobs.finished((await ask('POST', '/actions', off))['jobId'])
    await core.settle()
    expect(await tagged()).toBe(9)
    const { details } = await core.database.db
      .selectFrom('audit_log')
      .select('details')
      .where('action', '=', 'customers.action')
      .orderBy('id')
      .limit(1)
      .executeTakeFirstOrThrow()
    expect(JSON.parse(details)).toMatchObject({ customers: 11, job: jobId })
  })

  test('an action of a plugin, paused and taken up again, is done once for everybody', async () => {
    const { actions } = await ask('GET', '/actions')
    expect(actions.map(({ id }: { id: string }) => id)).toEqual(['test.channel/gift', 'test.channel/once'])
    const give = { action: 'test.channel/once', input: { text: 'For {{customer.t_name}}' }, expected: MANY }
    const paused = Promise.withResolvers<void>()
    const begun = new Promise<void>((resolve) => {
      during = async () => {
        resolve()
        await paused.promise
      }
    })
    const job: string = (await ask('POST', '/actions', give))['jobId']
    await begun
    await core.jobs.pause(job)
    paused.resolve()
    expect((await core.jobs.finished(job)).state).toBe('paused')
    expect(done).toHaveLength(20)
    await core.jobs.resume(job)
    expect(await core.jobs.finished(job)).toMatchObject({ state: 'done', result: { done: MANY, unknown: 0 } })
    expect(new Set(done.map(({ key }) => key)).size).toBe(MANY)
    expect(done).toHaveLength(MANY)
    const u3 = await idOf('u3')
    expect(done.find(({ customerId }) => customerId === u3)?.input).toEqual({ text: 'For u3' })
  })

  test.each([
    ['once', { done: 2, unknown: 1 }, 2],
    ['gift', { done: 3, unknown: 0 }, 3],
  ])('broken off while one was under way: %s', async (action, result, calls) => {
    done.length = 0
    during = undefined
    await core.stop()
    const ids = [await idOf('u4'), await idOf('u5'), await idOf('u6')]
    const { jobId } = await ask('POST', '/actions', {
      action: `test.channel/${action}`,
      input: { text: 'x' },
      ids,
      expected: 3,
    })
    const { run } = (await core.jobs.get(jobId)).payload as { run: string }
    await core.database.db
      .updateTable('bulk_targets')
      .set({ state: 'begun', attempts: 1 })
      .where('run', '=', run)
      .where('customer_id', '=', ids[1] as number)
      .execute()
    core.start()
    expect(await core.jobs.finished(jobId)).toMatchObject({ state: 'done', result })
    expect(done).toHaveLength(calls)
  })

  test('what cannot be done is said at once, and a customer who is refused stops no other', async () => {
    const ids = [await idOf('u7'), await idOf('u8')]
    const put = (rest: object) =>
      ask('POST', '/actions', {
        action: 'test.channel/gift',
        ids,
        expected: 2,
        input: { text: 'a' },
        ...rest,
      })
    expect(await put({ input: {} })).toMatchObject({ status: 422, code: 'E_ACTION_INPUT' })
    expect(await put({ action: 'tag', input: { tag: ' ' } })).toMatchObject({ code: 'E_TAG' })
    expect(await put({ action: 'test.channel/step' })).toMatchObject({ status: 404 })
    expect(await put({ segmentId: 's' })).toMatchObject({ status: 400 })
    const { jobId } = await put({ input: { text: 'no {{customer.t_name}}' } })
    expect(await core.jobs.finished(jobId)).toMatchObject({ result: { done: 1, failed: 1 } })
  })
})
