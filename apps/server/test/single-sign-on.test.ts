import { openOidcProvider } from '@huitou/simulators'
import { expect, test } from 'vitest'
import { startTestServer, type TestServer } from './test-server.ts'

const CLIENT = { clientId: 'huitou', clientSecret: 'a secret between the two of them' }

/** Walks a browser through the company's sign-in and says where it ends, and as whom. */
async function signIn(server: TestServer): Promise<{ at: string; me: any }> {
  const jar = new Map<string, string>()
  const go = async (url: string, init: RequestInit = {}) => {
    const headers = {
      Origin: server.url,
      Cookie: [...jar].map((pair) => pair.join('=')).join('; '),
      ...init.headers,
    }
    const answer = await fetch(url, {
      redirect: 'manual',
      ...init,
      ...(url.startsWith(server.url) ? { headers } : {}),
    })
    for (const line of answer.headers.getSetCookie()) {
      const [pair = ''] = line.split(';')
      jar.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1))
    }
    return answer
  }
  const begun = await go(`${server.url}/api/auth/sign-in/social`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ provider: 'oidc', callbackURL: '/customers', errorCallbackURL: '/sign-in' }),
  })
  const { url } = (await begun.json()) as { url: string }
  const back = (await go(url)).headers.get('Location')
  if (!back) return { at: 'refused by the provider', me: undefined }
  const at = (await go(back)).headers.get('Location') ?? ''
  const me = await go(`${server.url}/api/me`)
  return { at, me: me.ok ? await me.json() : undefined }
}

test('people come in through the company’s own sign-in, and nobody else does', async () => {
  await using provider = await openOidcProvider({ ...CLIENT, redirectUris: [] })
  const singleSignOn = {
    ...CLIENT,
    name: 'Company',
    discoveryUrl: provider.discoveryUrl,
    domains: ['brand.example'],
    role: 'analyst',
  } as const
  await using server = await startTestServer('sqlite', [], { config: { singleSignOn } })
  provider.redirectUris = [`${server.url}/api/auth/callback/oidc`]
  const owner = await server.as()
  await owner('/api/settings', { method: 'PUT', body: '{"locale":"en"}' })
  expect(await (await fetch(`${server.url}/api/setup`)).json()).toMatchObject({
    singleSignOn: { name: 'Company' },
  })

  provider.person = { sub: '1', email: 'Mei@brand.example', email_verified: true, name: 'Mei' }
  const mei = await signIn(server)
  expect(mei).toMatchObject({
    at: '/customers',
    me: { name: 'Mei', email: 'mei@brand.example', role: 'analyst', locale: 'en' },
  })
  expect((await signIn(server)).me.id).toBe(mei.me.id)
  // The same person at the provider stays the same here, whatever her address becomes.
  provider.person = { ...provider.person, email: 'mei.lin@brand.example' }
  expect((await signIn(server)).me.id).toBe(mei.me.id)

  // Known beforehand: an account that an owner made, of a domain that is not allowed by itself.
  provider.person = { sub: '2', email: 'owner@example.com', email_verified: true }
  expect((await signIn(server)).me).toMatchObject({ role: 'owner' })

  const strangers = [
    { sub: '3', email: 'eve@elsewhere.example', email_verified: true },
    { sub: '4', email: 'eve@brand.example.elsewhere.example', email_verified: true },
    { sub: '5', email: 'new@brand.example', email_verified: false },
    { sub: '6', email: 'owner@example.com', email_verified: false },
    { sub: '7', email: 'new@brand.example' },
  ]
  for (const person of strangers) {
    provider.person = person
    const { at, me } = await signIn(server)
    expect([person.email, me]).toEqual([person.email, undefined])
    expect(at).toMatch(/^\/sign-in\?error=/)
  }
  provider.person = { sub: '1', email: 'mei@brand.example', email_verified: true }
  for (const spoil of ['signature', 'nonce', 'audience', 'expired'] as const) {
    provider.spoil = spoil
    expect([spoil, (await signIn(server)).me]).toEqual([spoil, undefined])
  }
  expect(provider.refusals).toEqual([])

  const accounts = (await (await owner('/api/people/accounts')).json()) as { accounts: { id: string }[] }
  expect(accounts.accounts).toHaveLength(2)
  expect(accounts.accounts).toContainEqual(
    expect.objectContaining({ id: mei.me.id, singleSignOn: true, hasPassword: false }),
  )
  await owner(`/api/people/accounts/${mei.me.id}`, { method: 'PUT', body: '{"isActive":false}' })
  expect(await signIn(server)).toEqual({
    at: expect.stringContaining('?error=account_closed'),
    me: undefined,
  })
  const { entries } = (await (await owner('/api/audit?limit=50')).json()) as { entries: any[] }
  const reasons = entries
    .filter(({ action }) => action === 'sign-in.failed')
    .map(({ details }) => details.reason)
  expect(new Set(reasons)).toEqual(
    new Set([
      'account_closed',
      'unable_to_get_user_info',
      'not_allowed',
      'email_not_verified',
      'account_not_linked',
    ]),
  )
  // An address that the provider was not told of gets nobody in.
  provider.redirectUris = []
  expect((await signIn(server)).at).toBe('refused by the provider')
})
