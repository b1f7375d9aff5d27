import {
  KEY_SCOPES,
  type Permission,
  PERMISSIONS,
  permissionsOf,
  type Role,
  ROLE_PERMISSIONS,
  ROUTE_PERMISSIONS,
} from '@huitou/core'
import { expect, test } from 'vitest'
import { createApi } from '../src/http/start-server.ts'
import { startTestServer } from './test-server.ts'

/** Paths that only prepare a request; every other `ALL` is an address that answers. */
const MIDDLEWARE = /^(?:\/\*|\/api\/\*|\/api\/[a-z-]+\/\*|\/v1\/\*|\/u\/\*)$/

const ROLES = Object.keys(ROLE_PERMISSIONS) as Role[]

/** An address that a pattern fits, of something that is not there. */
function addressOf(pattern: string): string {
  return pattern
    .replaceAll(/:\w+\{([a-z]+)\|[^}]*\}/g, '$1')
    .replaceAll(':merge{[0-9]+-[0-9]+}', '987654-987655')
    .replaceAll(/:\w+\{[^}]*\}/g, '987654')
    .replaceAll(/:\w+/g, '987654')
}

type Verdict = 'in' | 'signIn' | 'forbidden'

async function verdictOf(answer: Response): Promise<Verdict> {
  // A stream of events has begun: whoever reads it was let in.
  if (answer.headers.get('Content-Type')?.startsWith('text/event-stream')) {
    await answer.body?.cancel()
    return 'in'
  }
  const code = /"code":"(\w+)"/.exec(await answer.text())?.[1]
  if (answer.status === 401 && code === 'E_SIGN_IN') return 'signIn'
  if (answer.status === 403 && code === 'E_FORBIDDEN') return 'forbidden'
  return 'in'
}

test('every route stands in the table, and nothing else does', async () => {
  await using server = await startTestServer()
  const api = await createApi(server.huitou, 'test')
  const routes = api.routes
    .filter(({ method, path }) => method !== 'ALL' || !MIDDLEWARE.test(path))
    .map(({ method, path }) => `${method} ${path}`)
  expect([...new Set(routes)].toSorted()).toEqual(Object.keys(ROUTE_PERMISSIONS).toSorted())
})

// More than a thousand requests over real sockets.
test(
  'each role is let into what the table gives it and nowhere else; without a session nobody is',
  { timeout: 120_000 },
  async () => {
    await using server = await startTestServer()
    const visitor = (path: string, init: RequestInit = {}) =>
      fetch(`${server.url}${path}`, { ...init, headers: { Origin: server.url, ...init.headers } })
    const callers = new Map<Role | 'visitor', typeof visitor>([['visitor', visitor]])
    for (const role of ROLES) callers.set(role, await server.as({ role }))
    // With their name people learn what they may do, so that pages offer nothing else.
    expect(await (await callers.get('agent')?.('/api/me'))?.json()).toMatchObject({
      role: 'agent',
      permissions: permissionsOf({ role: 'agent' }),
    })
    const wrong: string[] = []
    for (const [route, rule] of Object.entries(ROUTE_PERMISSIONS)) {
      const [verb, pattern = ''] = route.split(' ')
      // These end the session that the walk goes on with; the one asks nobody who they are, the other is walked in
      // the test of sessions.
      if (pattern === '/api/auth/sign-out') continue
      const method = verb === 'ALL' ? 'POST' : (verb ?? '')
      const body = method === 'GET' ? {} : { body: '{}', headers: { 'Content-Type': 'application/json' } }
      for (const [who, call] of callers) {
        // Nobody is asked who they are there.
        if (rule === 'public' && who !== 'visitor') continue
        const got = await verdictOf(await call(addressOf(pattern), { method, ...body }))
        const wanted = wantedFrom(rule, who)
        if (got !== wanted) wrong.push(`${route} for ${who}: ${got} instead of ${wanted}`)
      }
    }
    expect(wrong).toEqual([])
  },
)

test(
  'a key of each scope is let into what that scope opens and nowhere else, and never among people',
  { timeout: 120_000 },
  async () => {
    await using server = await startTestServer()
    const { keys } = await server.huitou.auth()
    // In one process: what differs is the key, and there are thousands of pairs.
    const api = await createApi(server.huitou, 'test')
    const make = async (scopes: readonly Permission[]) =>
      (await keys.create({ name: 'walk', scopes, expiresAt: null, by: 'test' })).key
    const wrong: string[] = []
    const ask = async (key: string, route: string, wanted: Verdict) => {
      const [verb, pattern = ''] = route.split(' ')
      const method = verb === 'ALL' ? 'POST' : (verb ?? '')
      const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' }
      const answer = await api.request(addressOf(pattern), {
        method,
        headers,
        ...(method === 'GET' ? {} : { body: '{}' }),
      })
      const got = await verdictOf(answer)
      if (got !== wanted) wrong.push(`${route}: ${got} instead of ${wanted}`)
    }
    const routes = Object.entries(ROUTE_PERMISSIONS).filter(([, rule]) => rule !== 'public')
    const everything = await make(PERMISSIONS)
    for (const [route, rule] of routes) {
      const isOpen = rule === 'known' || rule === 'signedIn' || KEY_SCOPES.some((scope) => scope === rule)
      await ask(everything, route, isOpen ? 'in' : 'forbidden')
    }
    for (const [index, scope] of KEY_SCOPES.entries()) {
      const key = await make([scope])
      // All that the scope opens, and of the rest, which one scope after the other covers many times, every ninth.
      for (const [place, [route, rule]] of routes.entries()) {
        if (rule === scope) await ask(key, route, 'in')
        else if (rule !== 'known' && rule !== 'signedIn' && (place + index) % 9 === 0)
          await ask(key, route, 'forbidden')
      }
    }
    expect(wrong).toEqual([])
    expect(
      (await api.request('/api/me', { headers: { Authorization: 'Bearer hk_api_nonsense' } })).status,
    ).toBe(401)
  },
)

test('a route that nobody gave a rule is refused even to an owner', async () => {
  await using server = await startTestServer()
  const api = await createApi(server.huitou, 'test')
  api.get('/api/forgotten', (c) => c.text('secret')).all('/api/forgotten-too', (c) => c.text('secret'))
  for (const path of ['/api/forgotten', '/api/forgotten-too']) {
    const answer = await api.request(path)
    expect([path, answer.status, await verdictOf(answer)]).toEqual([path, 403, 'forbidden'])
  }
  expect((await api.request('/api/nothing')).status).toBe(404)
})

function wantedFrom(rule: string, who: Role | 'visitor'): Verdict {
  if (rule === 'public') return 'in'
  if (who === 'visitor') return 'signIn'
  if (rule === 'known' || rule === 'signedIn' || rule === 'account') return 'in'
  return permissionsOf({ role: who }).some((permission) => permission === rule) ? 'in' : 'forbidden'
}
