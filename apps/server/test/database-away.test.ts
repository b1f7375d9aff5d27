import { createServer, type AddressInfo } from 'node:net'
import { ROUTE_PERMISSIONS } from '@huitou/core'
import { coreTemplate } from '@huitou/testing/core-template'
import { createPostgresDatabase } from '@huitou/testing/postgres'
import { expect, test } from 'vitest'
import { startTcpProxy } from './tcp-proxy.ts'
import { startTestServer, type TestServer } from './test-server.ts'

type Call = (path: string, init?: RequestInit) => Promise<Response>

/** Answers without the database, or does not end. */
const KNOWS_BY_ITSELF = new Set(['GET /api/live'])

/** A port at which nobody is. */
async function deadPort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}

function track(server: TestServer, messageId: string): Promise<Response> {
  return fetch(`${server.url}/v1/track`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Basic ${btoa(`${server.writeKey}:`)}` },
    body: JSON.stringify({ event: 'Tea Poured', userId: 'u', messageId }),
  })
}

/** Routes that answer something else than "come back later" or a mistake of the sender. */
async function walk(call: Call): Promise<string[]> {
  const ask = async (key: string): Promise<string[]> => {
    const [method = '', pattern = ''] = key.split(' ')
    const path = pattern.replaceAll(/:\w+(?:\{[^}]*\})?/g, '1')
    const body = method === 'GET' || method === 'DELETE' ? {} : { body: '{}' }
    const answer = await call(path, { method: method === 'ALL' ? 'POST' : method, ...body })
    const text = await answer.text()
    const isLater =
      answer.status === 503 && answer.headers.has('Retry-After') && text.includes('"E_DATABASE_AWAY"')
    return isLater || answer.status < 500 ? [] : [`${key}: ${answer.status} ${text.slice(0, 200)}`]
  }
  const keys = Object.keys(ROUTE_PERMISSIONS).filter((key) => !KNOWS_BY_ITSELF.has(key))
  return (await Promise.all(keys.map(ask))).flat()
}

test('while PostgreSQL is away everybody is asked to come back, and then it goes on by itself', async () => {
  const postgres = await createPostgresDatabase(coreTemplate)
  const { port } = new URL(postgres.url)
  await using proxy = await startTcpProxy(Number(port))
  const databaseUrl = postgres.url.replace(`:${port}/`, `:${proxy.port}/`)
  const wide = { perSecond: 10_000, burst: 10_000 }
  const rateLimits = { anonymous: wide, public: wide, api: wide, hooks: wide }
  {
    await using server = await startTestServer('sqlite', [], { config: { databaseUrl }, rateLimits })
    const call = await server.as()
    expect((await track(server, 'before')).status).toBe(200)

    proxy.retarget(await deadPort())
    const refused = await track(server, 'lost')
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([
      503,
      'E_DATABASE_AWAY',
    ])
    expect(Number(refused.headers.get('Retry-After'))).toBeGreaterThan(0)
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
    expect((await fetch(`${server.url}/readyz`)).status).toBe(503)
    const signIn = await fetch(`${server.url}/api/auth/sign-in/email`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Origin: server.url },
      body: JSON.stringify({ email: 'owner@example.com', password: 'correct horse battery' }),
    })
    expect([signIn.status, ((await signIn.json()) as { code: string }).code]).toEqual([
      503,
      'E_DATABASE_AWAY',
    ])
    expect((await call('/api/me')).status).toBe(503)
    expect(await walk(call)).toEqual([])

    proxy.retarget(Number(port))
    expect((await track(server, 'after')).status).toBe(200)
    expect((await call('/api/me')).status).toBe(200)
    const rows = await server.huitou.core.database.db.selectFrom('events').select('message_id').execute()
    expect(rows.map(({ message_id }) => message_id)).toEqual(['before', 'after'])
  }
  await postgres.drop()
})
