import { gzipSync } from 'node:zlib'
import { engines } from '@huitou/testing'
import { Analytics } from '@segment/analytics-node'
import { describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from './test-server.ts'

function post(
  server: TestServer,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Authorization: `Basic ${btoa(`${server.writeKey}:`)}`,
      ...headers,
    },
    body:
      typeof body === 'string' ? body : body instanceof Uint8Array ? Buffer.from(body) : JSON.stringify(body),
  })
}

const event = (messageId: string, more: object = {}) => ({
  type: 'track',
  event: 'Shelf Seen',
  userId: 'u1',
  messageId,
  ...more,
})

async function stored(server: TestServer) {
  return await server.huitou.core.database.db.selectFrom('events').selectAll().orderBy('seq').execute()
}

describe.each(engines)('on %s', (engine) => {
  test("Segment's own Node client works against it unchanged", async () => {
    await using server = await startTestServer(engine)
    const failures: unknown[] = []
    const analytics = new Analytics({
      writeKey: server.writeKey,
      host: server.url,
      path: '/v1/batch',
      flushAt: 4,
    })
    analytics.on('error', (error) => failures.push(error))
    analytics.identify({ userId: 'u1', traits: { name: '苏晴', email: 'Su.Qing@Example.com' } })
    analytics.track({ userId: 'u1', event: 'Order Completed', properties: { order_id: '7', total: 26.8 } })
    analytics.page({ anonymousId: 'browser', name: 'Home' })
    analytics.screen({ userId: 'u1', name: 'Cart' })
    analytics.group({ userId: 'u1', groupId: 'vip' })
    analytics.alias({ previousId: 'browser', userId: 'u1' })
    await analytics.closeAndFlush()
    expect(failures).toEqual([])
    await server.settle()
    const call = await server.as()
    const { rows, total } = (await (
      await call('/api/customers/search', {
        method: 'POST',
        body: JSON.stringify({
          columns: ['commerce_orders', 'commerce_spend', 't_email', 't_group_id'],
          limit: 10,
        }),
      })
    ).json()) as { rows: { name: string; columns: object }[]; total: number }
    expect(total).toBe(1)
    expect(rows[0]).toMatchObject({
      name: '苏晴',
      columns: { commerce_orders: 1, commerce_spend: 2_680, t_email: 'S***@Example.com', t_group_id: 'vip' },
    })
  })

  test('the same message twice, from two callers at once, is one event', async () => {
    await using server = await startTestServer(engine)
    const answers = await Promise.all(
      [1, 2, 3].map(() => post(server, '/v1/batch', { batch: [event('a'), event('b')] })),
    )
    const counts = await Promise.all(
      answers.map(async (answer) => (await answer.json()) as { accepted: number; duplicates: number }),
    )
    expect(counts.reduce((sum, { accepted }) => sum + accepted, 0)).toBe(2)
    expect(counts.reduce((sum, { duplicates }) => sum + duplicates, 0)).toBe(4)
    expect(await stored(server)).toHaveLength(2)
  })

  test('of a batch the good events are kept and the bad ones named', async () => {
    await using server = await startTestServer(engine)
    const answer = await post(server, '/v1/batch', {
      batch: [
        event('good'),
        { type: 'track', userId: 'u' },
        { type: 'dance' },
        7,
        event('late', { timestamp: 'yesterday' }),
        event('x'.repeat(101)),
        { ...event('no one'), userId: ' ' },
      ],
    })
    expect(answer.status).toBe(200)
    expect(await answer.json()).toMatchObject({
      success: true,
      accepted: 1,
      rejected: [
        { index: 1, code: 'E_EVENT_NO_NAME' },
        { index: 2, code: 'E_EVENT_TYPE' },
        { index: 3, code: 'E_EVENT_NOT_OBJECT' },
        { index: 4, code: 'E_EVENT_TIME' },
        { index: 5, code: 'E_EVENT_MESSAGE_ID' },
        { index: 6, code: 'E_EVENT_NO_ID' },
      ],
    })
    expect((await stored(server)).map(({ message_id }) => message_id)).toEqual(['good'])
  })

  test('what was refused can be looked up, without what it said', async () => {
    await using server = await startTestServer(engine)
    await post(server, '/v1/track', { userId: '13800138000', properties: { phone: '13800138000' } })
    const rejected = await server.huitou.core.database.db.selectFrom('rejected_events').selectAll().execute()
    expect(rejected).toMatchObject([{ code: 'E_EVENT_NO_NAME' }])
    expect(rejected[0]?.excerpt).not.toContain('138')
  })
})

test("a sender's wrong clock does no harm", async () => {
  await using server = await startTestServer()
  const before = Date.now()
  const wrong = (minutes: number) => new Date(before - 86_400_000 * 400 + minutes * 60_000).toISOString()
  await post(server, '/v1/batch', { sentAt: wrong(10), batch: [event('a', { timestamp: wrong(0) })] })
  const [row] = await stored(server)
  expect(Math.abs((row?.ts as number) - (before - 600_000))).toBeLessThan(30_000)
})

test.each([
  { what: 'no key', headers: { Authorization: '' }, status: 401, code: 'E_WRITE_KEY_MISSING' },
  {
    what: 'a wrong key',
    headers: { Authorization: `Basic ${btoa('hk_wrong:')}` },
    status: 401,
    code: 'E_WRITE_KEY_UNKNOWN',
  },
  { what: 'no JSON', body: '{"batch": [', status: 400, code: 'E_JSON' },
  { what: 'an array', body: '[]', status: 400, code: 'E_JSON' },
  {
    what: 'bytes that are no UTF-8',
    body: new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]),
    status: 400,
    code: 'E_JSON',
  },
  { what: 'no batch', body: '{}', status: 400, code: 'E_BATCH' },
  {
    what: 'more than 500 KB',
    body: JSON.stringify({ batch: [event('a', { properties: { x: 'x'.repeat(520_000) } })] }),
    status: 400,
    code: 'E_BODY_TOO_LARGE',
  },
  {
    what: 'a gzip bomb',
    body: gzipSync('x'.repeat(50_000_000)),
    headers: { 'Content-Encoding': 'gzip' },
    status: 400,
    code: 'E_BODY_TOO_LARGE',
  },
  {
    what: 'broken gzip',
    body: new Uint8Array([1, 2, 3]),
    headers: { 'Content-Encoding': 'gzip' },
    status: 400,
    code: 'E_GZIP',
  },
] as {
  what: string
  body?: string | Uint8Array
  headers?: Record<string, string>
  status: number
  code: string
}[])('$what is refused with $code', async ({ body = '{"batch":[]}', headers = {}, status, code }) => {
  await using server = await startTestServer()
  const answer = await post(server, '/v1/batch', body, headers)
  expect(answer.status).toBe(status)
  expect(answer.headers.get('Content-Type')).toContain('application/problem+json')
  expect(await answer.json()).toMatchObject({ code })
  expect(await stored(server)).toEqual([])
})

test('an event over 32 KB is refused, alone and in a batch', async () => {
  await using server = await startTestServer()
  const large = event('large', { properties: { x: 'x'.repeat(33_000) } })
  expect(await (await post(server, '/v1/track', large)).json()).toMatchObject({ code: 'E_BODY_TOO_LARGE' })
  expect(await (await post(server, '/v1/batch', { batch: [large] })).json()).toMatchObject({
    rejected: [{ code: 'E_EVENT_TOO_LARGE' }],
  })
})

test('keys work as user name, as bearer token and in the body, and a packed body is unpacked', async () => {
  await using server = await startTestServer()
  const none = { Authorization: '' }
  expect((await post(server, '/v1/track', event('1'))).status).toBe(200)
  expect(
    (await post(server, '/v1/track', event('2'), { Authorization: `Bearer ${server.writeKey}` })).status,
  ).toBe(200)
  expect((await post(server, '/v1/track', { ...event('3'), writeKey: server.writeKey }, none)).status).toBe(
    200,
  )
  expect(
    (await post(server, '/v1/track', gzipSync(JSON.stringify(event('4'))), { 'Content-Encoding': 'gzip' }))
      .status,
  ).toBe(200)
  expect(await stored(server)).toHaveLength(4)
})
