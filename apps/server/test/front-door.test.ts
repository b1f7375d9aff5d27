import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { ROUTE_PERMISSIONS } from '@huitou/core'
import { expect, test } from 'vitest'
import { startTestServer, type TestServer } from './test-server.ts'

interface Line {
  level: string
  facts: Record<string, unknown>
  message: string
}

function listen() {
  const lines: Line[] = []
  const take = (level: string) => (facts: object, message: string) =>
    void lines.push({ level, facts: facts as Line['facts'], message })
  return {
    lines,
    log: { debug: take('debug'), info: take('info'), warn: take('warn'), error: take('error') },
  }
}

interface Asked {
  method?: string
  headers?: Record<string, string>
  body?: string
}

/** Like fetch, but for headers that it does not let one set. */
async function ask(server: TestServer, path: string, { method = 'GET', headers = {}, body }: Asked = {}) {
  const { hostname, port } = new URL(server.url)
  const asked = request({ hostname, port, path, method, headers })
  if (body === undefined && headers['Content-Length']) asked.flushHeaders()
  else asked.end(body)
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  const said = await text(answer)
  asked.destroy()
  return { status: answer.statusCode ?? 0, headers: answer.headers, text: said }
}

const routes = Object.keys(ROUTE_PERMISSIONS).map((key) => {
  const [method = '', pattern = ''] = key.split(' ')
  const path = pattern.replaceAll(/:\w+(?:\{[^}]*\})?/g, '1')
  return { key, method: method === 'ALL' ? 'POST' : method, path }
})

test('every route answers with headers that keep others out, and takes no more than it has to', async () => {
  const wide = { perSecond: 10_000, burst: 10_000 }
  const rateLimits = { anonymous: wide, public: wide, api: wide, hooks: wide }
  await using server = await startTestServer('sqlite', [], { rateLimits })
  const without: string[] = []
  const unlimited: string[] = []
  for (const { key, method, path } of routes) {
    const { headers, status } = await ask(server, path, { method })
    const isOpen = path.startsWith('/media/')
    const wanted = {
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      ...(isOpen
        ? {}
        : {
            'cross-origin-opener-policy': 'same-origin',
            'permissions-policy': expect.stringContaining('camera=()') as string,
            'content-security-policy': expect.stringContaining("frame-ancestors 'self'") as string,
          }),
    }
    if (!headers['x-request-id'] || status >= 500) without.push(`${key} ${status}`)
    for (const [name, value] of Object.entries(wanted)) {
      const is = headers[name]
      if (
        typeof value === 'string'
          ? is !== value
          : !String(is).includes(name === 'permissions-policy' ? 'camera=()' : 'frame-ancestors')
      )
        without.push(`${key}: ${name} is ${String(is)}`)
    }
    if (method === 'GET' || method === 'HEAD') continue
    const large = await ask(server, path, { method, headers: { 'Content-Length': '600000000' } })
    if (large.status !== 413) unlimited.push(`${key} ${large.status}`)
  }
  expect(without).toEqual([])
  // These read as they go and stop by themselves: files of orders have a limit that owners set.
  expect(unlimited.map((line) => line.replace(/ \d+$/, ''))).toEqual(
    expect.arrayContaining(['ALL /hooks/:plugin/:path{.+}', 'POST /api/imports']),
  )
  for (const line of unlimited) expect(line).toMatch(/hooks|imports|assets|upload|\/import |\/v1\/|\/u\//)
  expect(routes.length).toBeGreaterThan(100)
})

test('a request has an id: its own if that is sane, on the answer, in problem documents, and in the log', async () => {
  const { lines, log } = listen()
  await using server = await startTestServer('sqlite', [], { log })
  const given = await ask(server, '/api/customers/13800138000?search=lin%40example.com', {
    headers: { 'X-Request-Id': 'trace-4711.a', 'User-Agent': 'Lin Xia' },
  })
  expect(given.headers['x-request-id']).toBe('trace-4711.a')
  expect(JSON.parse(given.text)).toMatchObject({ code: 'E_SIGN_IN', requestId: 'trace-4711.a' })
  const forged = await ask(server, '/api/me', { headers: { 'X-Request-Id': 'a b{"level":"error"}' } })
  expect(forged.headers['x-request-id']).toMatch(/^[\da-f-]{36}$/)
  await ask(server, '/l/a-token-of-somebody')
  await ask(server, '/customers/somebody-in-the-admin')
  const asked = lines.filter(({ message }) => message === 'Request')
  expect(asked.map(({ facts: { method, route, status } }) => `${method} ${route} ${status}`)).toEqual([
    'GET /api/customers/:id{[0-9]+} 401',
    'GET /api/me 401',
    'GET /l/:token 404',
    expect.stringMatching(/^GET admin (200|503)$/) as string,
  ])
  expect(asked[0]?.facts).toEqual({
    requestId: 'trace-4711.a',
    method: 'GET',
    route: '/api/customers/:id{[0-9]+}',
    status: 401,
    ms: expect.any(Number) as number,
  })
  const all = JSON.stringify(lines)
  for (const secret of ['13800138000', 'lin', 'a-token-of-somebody', 'somebody-in', 'Lin Xia'])
    expect(all).not.toContain(secret)
})

test('only a trusted proxy is believed about who asks, and over TLS browsers are told to stay there', async () => {
  await using server = await startTestServer('sqlite', [], {
    rateLimits: { anonymous: { perSecond: 0.001, burst: 2 } },
  })
  const from = (address: string) => ask(server, '/api/setup', { headers: { 'X-Forwarded-For': address } })
  // The proxy, which is this machine, adds whom it heard it from; what stands before that anybody may have written.
  expect((await from('6.6.6.6, 203.0.113.7')).status).toBe(200)
  expect((await from('7.7.7.7, 203.0.113.7')).status).toBe(200)
  const third = await from('8.8.8.8, 203.0.113.7')
  expect(third.status).toBe(429)
  expect(Number(third.headers['retry-after'])).toBeGreaterThan(0)
  expect(JSON.parse(third.text)).toMatchObject({ code: 'E_RATE_LIMIT' })
  const other = await from('203.0.113.8')
  expect(other.status).toBe(200)
  expect(other.headers['strict-transport-security']).toBeUndefined()
  const secure = await ask(server, '/healthz', { headers: { 'X-Forwarded-Proto': 'https' } })
  expect(secure.headers['strict-transport-security']).toBe('max-age=31536000')
})

test('webhooks and pages of messages have limits of their own', async () => {
  const few = { perSecond: 0.001, burst: 3 }
  await using server = await startTestServer('sqlite', [], { rateLimits: { hooks: few, public: few } })
  const statuses = async (path: string) => {
    const found: number[] = []
    for (let count = 0; count < 5; count++) found.push((await ask(server, path)).status)
    return found
  }
  expect(await statuses('/hooks/commerce/orders')).toEqual([404, 404, 404, 429, 429])
  expect(await statuses('/hooks/other/orders')).toEqual([404, 404, 404, 429, 429])
  expect(await statuses('/u/no-such-token')).toEqual([404, 404, 404, 429, 429])
})

test('pages of others, forms, and bodies without end or sense are turned away before anybody is asked', async () => {
  await using server = await startTestServer()
  const call = await server.as()
  const send = async (headers: Record<string, string>, body = '{}') => {
    const answer = await call('/api/segments/count', { method: 'POST', body, headers })
    return [answer.status, ((await answer.json()) as { code: string }).code]
  }
  expect(await send({ Origin: 'https://evil.example' })).toEqual([403, 'E_FOREIGN_PAGE'])
  expect(await send({ Origin: 'null' })).toEqual([403, 'E_FOREIGN_PAGE'])
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
  expect(await send(form, 'rule=1')).toEqual([415, 'E_CONTENT_TYPE'])
  expect(await send({}, `{"rule":${'['.repeat(100)}${']'.repeat(100)}}`)).toEqual([400, 'E_JSON_DEPTH'])
  expect(await send({}, '{"rule":{"all":[{"column":"\\u0000","op":"is","value":1}]}}')).toEqual([
    400,
    'E_CHARACTER',
  ])
  expect(await send({}, '{"rule":"\\ud800"}')).toEqual([400, 'E_CHARACTER'])
  expect(await send({}, `{"rule":"${'x'.repeat(1_100_000)}"}`)).toEqual([413, 'E_BODY_TOO_LARGE'])
  // What is not about JSON's form is for the route to say.
  expect(await send({}, '{"rule":"\\\\u0000 [[[[[["}')).toEqual([400, 'E_INVALID'])
})

test('/readyz says why not, /metrics counts without naming anybody, and both are for those who watch', async () => {
  await using server = await startTestServer('sqlite', [], { metricsToken: 'a token for prometheus' })
  const ready = await ask(server, '/readyz')
  expect([ready.status, JSON.parse(ready.text)]).toEqual([
    200,
    { status: 'ready', version: 'test', troubles: [] },
  ])
  expect((await ask(server, '/metrics')).status).toBe(401)
  const batch = [
    { type: 'track', event: 'Tea Poured', userId: '林夏', messageId: 'a' },
    { type: 'track', event: 'Tea Poured', userId: '林夏', messageId: 'a' },
    { type: 'track', event: 'Tea Poured' },
  ]
  await ask(server, '/v1/batch', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Basic ${btoa(`${server.writeKey}:`)}` },
    body: JSON.stringify({ batch }),
  })
  const figures = await ask(server, '/metrics', {
    headers: { Authorization: 'Bearer a token for prometheus' },
  })
  expect(figures.status).toBe(200)
  expect(figures.text).toContain('huitou_ingest_events_total{outcome="accepted"} 1')
  expect(figures.text).toContain('huitou_ingest_events_total{outcome="duplicate"} 1')
  expect(figures.text).toContain('huitou_ingest_events_total{outcome="rejected"} 1')
  expect(figures.text).toContain('huitou_http_requests_total{method="POST",route="/v1/batch",status="200"} 1')
  expect(figures.text).toContain('huitou_stage_lag{stage="profiles"} 1')
  expect(figures.text).toContain('huitou_stage_lag{stage="deliveries"} 0')
  expect(figures.text).toContain('huitou_jobs{state="queued"} 0')
  expect(figures.text).toContain('huitou_plugin_state{plugin="huitou.rfm",state="enabled"} 1')
  expect(figures.text).toMatch(/huitou_database_bytes \d{5,}/)
  expect(figures.text).toMatch(/huitou_nodejs_eventloop_lag_seconds [\d.e-]+/)
  expect(figures.text).not.toContain('林夏')
})

test('without a token figures are for this machine only', async () => {
  await using server = await startTestServer()
  expect((await ask(server, '/metrics')).status).toBe(200)
  expect((await ask(server, '/metrics', { headers: { 'X-Forwarded-For': '203.0.113.7' } })).status).toBe(403)
})
