import { gzipSync } from 'node:zlib'
import { type SourceEvent, userError } from '@huitou/plugin-api'
import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { createEventLog } from '../events/append.ts'
import type { SignedIn } from '../http/env.ts'
import { answerProblem, type Problem } from '../http/problem.ts'
import { hookRoutes } from './hooks.ts'
import { createImportFixture, type ImportFixture, linesSource } from '../../test/import-fixture.ts'
import type { ImportView } from './import-view.ts'
import { importRoutes } from './routes.ts'

const FILE = 'order_id,customer_id,quantity,price,time\n1,a,2,1.50,2026-11-01 10:24:00\n2,b,1,5,never\n'

function appOf(fixture: ImportFixture) {
  const app = new Hono<SignedIn>()
  app.use(async (c, next) => {
    c.set('user', { id: 'u1', name: 'U', email: 'u@example.com', role: 'operator', locale: 'en' } as never)
    await next()
  })
  app.onError((error, c) => answerProblem(c, error, fixture.log))
  return app.route('/api/imports', importRoutes(fixture))
}

async function until(
  app: Hono<SignedIn>,
  id: string,
  state: string,
  fixture: ImportFixture,
): Promise<ImportView> {
  const { jobId } = (await (await app.request(`/api/imports/${id}`)).json()) as ImportView
  await fixture.jobs.finished(jobId!)
  const view = (await (await app.request(`/api/imports/${id}`)).json()) as ImportView
  expect(view.state).toBe(state)
  return view
}

test('the wizard: upload, look, map, check, read the problems, import', async () => {
  await using fixture = await createImportFixture()
  fixture.work()
  const app = appOf(fixture)
  const uploaded = await app.request('/api/imports?source=test.lines&name=%E8%AE%A2%E5%8D%95.csv.gz', {
    method: 'POST',
    body: gzipSync(FILE),
  })
  expect(uploaded.status).toBe(201)
  const view = (await uploaded.json()) as ImportView
  expect(view).toMatchObject({
    name: '订单.csv.gz',
    state: 'uploaded',
    encoding: 'utf-8',
    delimiter: ',',
    headers: ['order_id', 'customer_id', 'quantity', 'price', 'time'],
    recognitions: [{ format: 'lines', confidence: 1 }],
    mapping: { format: 'lines', fields: { order_id: [0], price: [3] } },
    dryRun: null,
  })
  expect(view.sample).toHaveLength(2)
  expect(view.fields[0]).toMatchObject({
    id: 'order_id',
    required: true,
    title: { en: 'Order', 'zh-CN': 'Order' },
  })

  const mapped = await app.request(`/api/imports/${view.id}/mapping`, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ mapping: { columns: { customer_id: null } } }),
  })
  expect(await mapped.json()).toMatchObject({
    mapping: { fields: { order_id: [0], quantity: [2], price: [3], time: [4] } },
  })

  expect((await app.request(`/api/imports/${view.id}/problems.csv`)).status).toBe(404)
  expect((await app.request(`/api/imports/${view.id}/check`, { method: 'POST' })).status).toBe(202)
  const checked = await until(app, view.id, 'checked', fixture)
  expect(checked.dryRun).toMatchObject({ rows: 2, problemRows: 1, preview: [{ row: 2, user: 'guest:1' }] })
  const problems = await app.request(`/api/imports/${view.id}/problems.csv`)
  expect(problems.headers.get('Content-Disposition')).toContain(
    encodeURIComponent('订单.csv.gz.problems.csv'),
  )
  expect(await problems.text()).toContain('E_ROW_TIME')

  await app.request(`/api/imports/${view.id}/start`, { method: 'POST' })
  expect((await until(app, view.id, 'done', fixture)).result).toMatchObject({ accepted: 1, rows: 2 })
  const { imports } = (await (await app.request('/api/imports')).json()) as { imports: ImportView[] }
  expect(imports.map(({ id }) => id)).toEqual([view.id])
})

test('mistakes are answered with a code and what to do', async () => {
  await using fixture = await createImportFixture()
  const app = appOf(fixture)
  const problemOf = async (response: Response) => [response.status, ((await response.json()) as Problem).code]
  const upload = (query: string, body: string) =>
    app.request(`/api/imports?${query}`, { method: 'POST', body })
  expect(await problemOf(await upload('source=test.lines', FILE))).toEqual([400, 'E_INVALID'])
  expect(await problemOf(await upload('source=test.other&name=a', FILE))).toEqual([400, 'E_SOURCE_UNKNOWN'])
  expect(await problemOf(await upload('source=test.lines&name=a', '%PDF-1.4'))).toEqual([
    415,
    'E_FILE_FORMAT',
  ])
  expect(await problemOf(await app.request('/api/imports/none'))).toEqual([404, 'E_NOT_FOUND'])
})

test('a webhook is answered by its plugin, and its events are in the log before the answer', async () => {
  const event: SourceEvent = {
    messageId: 'o1',
    type: 'track',
    event: 'order.paid',
    userId: 'a',
    timestamp: 1_700_000_000_000,
    externalIds: [{ type: 'buyer_id:shop', id: '9' }],
    version: 1_700_000_000_500,
  }
  await using fixture = await createImportFixture({
    source: {
      ...linesSource,
      handleWebhook({ body, headers, settings, path, method }) {
        if (headers['x-signature'] !== settings['secret'])
          throw userError('E_SIGNATURE', 'The signature is wrong', { status: 401 })
        return {
          status: 202,
          body: { path, method, size: body.length },
          events: [event, { ...event, messageId: 'o2', timestamp: Number.NaN }],
        }
      },
    },
  })
  fixture.points.sources.list()[0]!.value.webhooks = [{ path: 'shop', title: 'Shop' }]
  const app = new Hono().route(
    '/hooks',
    hookRoutes({
      ...fixture,
      events: createEventLog(fixture.database, fixture.clock),
      deliveries: { receive: () => Promise.reject(new Error('A shop reports nothing about messages')) },
      pluginSettings: async () => ({ secret: 's3' }),
    }),
  )
  app.onError((error, c) => answerProblem(c, error, fixture.log))

  expect((await app.request('/hooks/test/shop', { method: 'POST', body: '{}' })).status).toBe(401)
  expect((await app.request('/hooks/test/other', { method: 'POST', body: '{}' })).status).toBe(404)
  const answer = await app.request('/hooks/test/shop/orders', {
    method: 'POST',
    body: '{"é":1}',
    headers: { 'X-Signature': 's3' },
  })
  expect(answer.status).toBe(202)
  expect(await answer.json()).toEqual({ path: 'shop/orders', method: 'POST', size: 8 })
  expect(
    await fixture.database.db
      .selectFrom('events')
      .select(['source', 'message_id', 'version', 'body'])
      .execute(),
  ).toEqual([
    {
      source: 'hook:test',
      message_id: 'o1',
      version: 1_700_000_000_500,
      body: '{"userId":"a","externalIds":[{"type":"buyer_id:shop","id":"9"}]}',
    },
  ])
  expect(await fixture.database.db.selectFrom('rejected_events').select('code').execute()).toEqual([
    { code: 'E_EVENT_TIME' },
  ])
  expect(
    (
      await app.request('/hooks/test/shop', {
        method: 'POST',
        body: 'x'.repeat(6 << 20),
        headers: { 'X-Signature': 's3' },
      })
    ).status,
  ).toBe(413)
})
