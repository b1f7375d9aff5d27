import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { runHuitou } from './server-process.ts'
import { startTestServer, type TestServer } from './test-server.ts'

const PASSWORD = 'correct horse battery'

/** A browser: keeps cookies and says where it comes from. */
function browser(server: TestServer) {
  const jar = new Map<string, string>()
  const call = async (path: string, init: RequestInit = {}) => {
    const answer = await fetch(`${server.url}${path}`, {
      redirect: 'manual',
      ...init,
      headers: {
        Origin: server.url,
        'User-Agent': 'Test browser',
        Cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(init.body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...init.headers,
      },
    })
    for (const line of answer.headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split(';')
      const [name = '', value = ''] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]
      if (attributes.some((attribute) => /max-age=0/i.test(attribute))) jar.delete(name)
      else jar.set(name, value)
    }
    return answer
  }
  const send = async (method: string, path: string, body?: unknown) => {
    const answer = await call(path, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
    const text = await answer.text()
    return {
      status: answer.status,
      headers: answer.headers,
      body: (text ? JSON.parse(text) : {}) as Record<string, any>,
    }
  }
  return {
    send,
    call,
    get: (path: string) => send('GET', path),
    signIn: (email: string, password: string) => send('POST', '/api/auth/sign-in/email', { email, password }),
  }
}

async function withOwner(server: TestServer) {
  const owner = browser(server)
  const made = await owner.send('POST', '/api/setup/owner', {
    name: '周岚',
    email: 'lan@example.com',
    password: PASSWORD,
  })
  expect(made.status).toBe(201)
  return owner
}

async function auditOf(server: TestServer): Promise<string[]> {
  const rows = await server.huitou.core.database.db
    .selectFrom('audit_log')
    .selectAll()
    .orderBy('id')
    .execute()
  expect(JSON.stringify(rows)).not.toMatch(/example\.com|correct horse/)
  return rows.map(({ action }) => action)
}

/** RFC 6238 with the defaults of every authenticator app. */
function totp(uri: string): string {
  const secret = new URL(uri).searchParams.get('secret') ?? ''
  const bits = [...secret].map((char) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(char).toString(2).padStart(5, '0'),
  )
  const bytes =
    bits
      .join('')
      .match(/.{8}/g)
      ?.map((byte) => Number.parseInt(byte, 2)) ?? []
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)))
  const digest = createHmac('sha1', Buffer.from(bytes)).update(counter).digest()
  const offset = (digest.at(-1) ?? 0) & 15
  return String((digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

test('a colleague comes in with a password for one sign-in, and leaves when an owner says so', async () => {
  await using server = await startTestServer()
  const owner = await withOwner(server)
  const invited = await owner.send('POST', '/api/people/accounts', {
    name: 'Mei',
    email: 'Mei@example.com',
    role: 'agent',
    locale: 'en',
  })
  expect(invited.status).toBe(201)
  const { password, account } = invited.body
  const mei = browser(server)
  expect((await mei.signIn('mei@example.com', password)).status).toBe(200)
  expect((await mei.get('/api/me')).body).toMatchObject({ role: 'agent', owes: 'password' })
  expect((await mei.get('/api/tasks')).body).toMatchObject({ code: 'E_PASSWORD_DUE' })
  const change = (current: string, next: string) =>
    mei.send('POST', '/api/account/password', { current, next })
  expect((await change('something else', 'my own good password')).body.code).toBe('E_PASSWORD_WRONG')
  expect((await change(password, 'short')).body.code).toBe('E_PASSWORD_SHORT')
  expect((await change(password, 'my own good password')).status).toBe(204)
  expect((await mei.get('/api/tasks')).status).toBe(200)

  const role = (id: string, body: object) => owner.send('PUT', `/api/people/accounts/${id}`, body)
  expect((await role(account.id, { role: 'operator' })).body).toMatchObject({ role: 'operator' })
  expect((await mei.get('/api/segments')).status).toBe(200)
  const open = await mei.call('/api/live')
  const mine = (await owner.call('/api/live')).body!.getReader()
  expect((await role(account.id, { isActive: false })).body).toMatchObject({ isActive: false })
  // What she had open ends at once, and what others have stays.
  expect(await open.text()).toContain('event: hello')
  expect((await mine.read()).done).toBe(false)
  await mine.cancel()
  expect((await mei.get('/api/me')).status).toBe(401)
  expect((await mei.signIn('mei@example.com', 'my own good password')).body.code).toBe('E_SIGN_IN_WRONG')
  expect((await owner.get('/api/people')).body.people).toHaveLength(1)

  const { id } = (await owner.get('/api/me')).body
  for (const change of [{ role: 'agent' }, { isActive: false }])
    expect((await role(id, change)).body.code).toBe('E_LAST_OWNER')
  expect((await owner.get('/api/me')).body.role).toBe('owner')
  expect(await auditOf(server)).toEqual([
    'person.invite',
    'sign-in',
    'password.change',
    'person.role',
    'person.deactivate',
    'sign-in.failed',
  ])
})

test('a second factor is asked for once it is set up, and can be asked of everybody', async () => {
  await using server = await startTestServer()
  const owner = await withOwner(server)
  const policy = (requireTwoFactor: boolean) =>
    owner.send('PUT', '/api/people/security', { requireTwoFactor })
  expect((await policy(true)).body.code).toBe('E_TWO_FACTOR_FIRST')
  const begin = (password: string) => owner.send('POST', '/api/auth/two-factor/enable', { password })
  expect((await begin('not mine at all')).body.code).toBe('E_PASSWORD_WRONG')
  const { totpURI, backupCodes } = (await begin(PASSWORD)).body
  expect((await owner.send('POST', '/api/auth/two-factor/verify-totp', { code: '000000' })).body.code).toBe(
    'E_CODE_WRONG',
  )
  expect((await owner.send('POST', '/api/auth/two-factor/verify-totp', { code: totp(totpURI) })).status).toBe(
    200,
  )
  expect((await owner.get('/api/account')).body).toMatchObject({ twoFactor: true })

  const elsewhere = browser(server)
  expect((await elsewhere.signIn('lan@example.com', PASSWORD)).body).toMatchObject({
    twoFactorRedirect: true,
  })
  expect((await elsewhere.get('/api/me')).status).toBe(401)
  const code = (value: string) =>
    elsewhere.send('POST', '/api/auth/two-factor/verify-backup-code', { code: value })
  expect((await code('nonsense')).body.code).toBe('E_CODE_WRONG')
  expect((await code(backupCodes[0])).status).toBe(200)
  expect((await elsewhere.get('/api/me')).body.role).toBe('owner')

  expect((await policy(true)).status).toBe(200)
  const mei = await server.as({ role: 'agent', name: 'Mei' })
  expect(await (await mei('/api/tasks')).json()).toMatchObject({ code: 'E_TWO_FACTOR_DUE' })
  const { accounts } = (await owner.get('/api/people/accounts')).body
  const own = accounts.find(({ role }: { role: string }) => role === 'owner')
  expect((await owner.send('DELETE', `/api/people/accounts/${own.id}/two-factor`)).body.twoFactor).toBe(false)
  expect((await owner.get('/api/me')).status).toBe(401)
  expect(await auditOf(server)).toEqual(
    expect.arrayContaining([
      'two-factor.on',
      'sign-in.failed',
      'sign-in',
      'security.change',
      'person.two-factor-reset',
    ]),
  )
})

test('one sees where one is signed in, ends it, and a new password ends it everywhere', async () => {
  await using server = await startTestServer()
  const here = await withOwner(server)
  const [phone, tablet] = [browser(server), browser(server)]
  for (const one of [phone, tablet]) await one.signIn('lan@example.com', PASSWORD)
  const { sessions } = (await here.get('/api/account/sessions')).body
  expect(sessions).toHaveLength(3)
  expect(sessions[0]).toMatchObject({ isCurrent: true, agent: 'Test browser', address: '127.0.0.1' })
  expect(JSON.stringify(sessions)).not.toContain('token')
  const cookie = (await browser(server).signIn('lan@example.com', PASSWORD)).headers.getSetCookie().join('\n')
  expect(cookie).toMatch(/session_token=.*HttpOnly.*SameSite=Lax/i)
  expect((await here.send('DELETE', `/api/account/sessions/${sessions[1].id}`)).status).toBe(204)
  expect((await here.send('DELETE', '/api/account/sessions')).body).toEqual({ ended: 2 })
  for (const one of [phone, tablet]) expect((await one.get('/api/me')).status).toBe(401)
  await phone.signIn('lan@example.com', PASSWORD)
  await here.send('POST', '/api/account/password', { current: PASSWORD, next: 'another good one' })
  expect((await phone.get('/api/me')).status).toBe(401)
  expect((await here.get('/api/me')).status).toBe(200)
})

test('whoever guesses has to wait, and learns nothing about who is here', async () => {
  await using server = await startTestServer()
  await withOwner(server)
  const guess = async (email: string) => {
    const { status, body } = await browser(server).signIn(email, 'a wrong password')
    return [status, body.code]
  }
  for (let round = 0; round < 5; round++) {
    expect(await guess('lan@example.com')).toEqual([401, 'E_SIGN_IN_WRONG'])
    expect(await guess('stranger@example.com')).toEqual([401, 'E_SIGN_IN_WRONG'])
  }
  for (const email of ['lan@example.com', 'stranger@example.com'])
    expect(await guess(email)).toEqual([429, 'E_SIGN_IN_SLOW'])
  expect((await browser(server).signIn('lan@example.com', PASSWORD)).status).toBe(429)
  expect((await auditOf(server)).filter((action) => action === 'sign-in.failed')).toHaveLength(10)
})

test('a key does what its scopes say, without a cookie, until it ends', async () => {
  await using server = await startTestServer()
  const owner = await withOwner(server)
  const make = (call: typeof owner, body: object) => call.send('POST', '/api/settings/api-keys', body)
  const made = await make(owner, { name: 'Report', scopes: ['segments.read', 'customers.read'], days: 30 })
  expect(made.body.key).toMatch(/^hk_api_[\w-]{40}$/)
  const asKey = (path: string, init: RequestInit = {}) =>
    fetch(`${server.url}${path}`, {
      ...init,
      headers: { Authorization: `Bearer ${made.body.key}`, ...init.headers },
    })
  expect((await asKey('/api/segments')).status).toBe(200)
  const search = { method: 'POST', body: '{"limit":1}', headers: { 'Content-Type': 'application/json' } }
  expect((await asKey('/api/customers/search', search)).status).toBe(200)
  expect(await (await asKey('/api/plugins')).json()).toMatchObject({ code: 'E_FORBIDDEN' })
  expect((await asKey('/api/account')).status).toBe(403)
  expect(await (await asKey('/api/me')).json()).toMatchObject({
    name: 'Report',
    permissions: ['customers.read', 'segments.read'],
  })
  const { apiKeys } = (await owner.get('/api/settings/api-keys')).body
  expect(apiKeys).toMatchObject([{ name: 'Report', tail: made.body.key.slice(-4), isExpired: false }])
  expect(apiKeys[0].lastUsedAt).toBeGreaterThan(0)
  const rows = await server.huitou.core.database.db.selectFrom('api_keys').selectAll().execute()
  expect(JSON.stringify(rows)).not.toContain(made.body.key)

  const developer = await server.as({ role: 'developer' })
  const beyond = { name: 'x', scopes: ['customers.read'], days: null }
  const refused = await developer('/api/settings/api-keys', { method: 'POST', body: JSON.stringify(beyond) })
  expect(await refused.json()).toMatchObject({ code: 'E_KEY_SCOPE' })
  for (const scope of ['people.manage', 'keys.manage', 'security.manage', 'nonsense'])
    expect((await make(owner, { name: 'x', scopes: [scope], days: null })).status).toBe(400)

  expect((await owner.send('DELETE', `/api/settings/api-keys/${made.body.id}`)).status).toBe(204)
  expect((await asKey('/api/segments')).status).toBe(401)
  // A cookie beside a key that is none helps nobody.
  const mixed = await owner.send('GET', '/api/me')
  expect(mixed.status).toBe(200)
})

test('the audit log is read and checked by owners, and taken along with a reason', async () => {
  await using server = await startTestServer()
  const owner = await withOwner(server)
  await browser(server).signIn('lan@example.com', 'a wrong password')
  const { entries } = (await owner.get('/api/audit?action=sign-in')).body
  expect(entries).toMatchObject([
    { action: 'sign-in.failed', user: { name: '周岚' }, details: { way: 'password' } },
  ])
  expect((await owner.send('POST', '/api/audit/verify')).body).toMatchObject({ ok: true, entries: 1 })
  expect((await owner.send('POST', '/api/audit/export', { reason: '' })).status).toBe(422)
  const file = await fetch(`${server.url}/api/audit`)
  expect(file.status).toBe(401)
})

test('a device is trusted no longer than its owner wishes, and a lone owner without phone gets in again', async () => {
  await using server = await startTestServer()
  const owner = await withOwner(server)
  const { totpURI } = (await owner.send('POST', '/api/auth/two-factor/enable', { password: PASSWORD })).body
  const verify = (who: typeof owner, body: object) =>
    who.send('POST', '/api/auth/two-factor/verify-totp', body)
  await verify(owner, { code: totp(totpURI) })

  const laptop = browser(server)
  const asksForCode = async (who: typeof owner) =>
    Boolean((await who.signIn('lan@example.com', PASSWORD)).body['twoFactorRedirect'])
  expect(await asksForCode(laptop)).toBe(true)
  expect((await verify(laptop, { code: totp(totpURI), trustDevice: true })).status).toBe(200)
  expect(await asksForCode(laptop)).toBe(false)
  await owner.send('DELETE', '/api/account/sessions')
  expect(await asksForCode(laptop)).toBe(true)

  // Five for a sign-in, then one begins again; ten in a row for the account. Whose they are is written down.
  const answers: string[] = []
  for (let i = 0; i < 13; i += 1) {
    if (answers.at(-1) === 'E_SIGN_IN_AGAIN') await laptop.signIn('lan@example.com', PASSWORD)
    answers.push((await verify(laptop, { code: `00000${i}`.slice(-6) })).body['code'])
  }
  expect(answers).toEqual([
    ...Array.from({ length: 5 }, () => 'E_CODE_WRONG'),
    'E_SIGN_IN_AGAIN',
    ...Array.from({ length: 5 }, () => 'E_CODE_WRONG'),
    'E_SIGN_IN_SLOW',
    'E_SIGN_IN_SLOW',
  ])
  const { id } = (await owner.get('/api/me')).body
  const { entries } = (await owner.get('/api/audit?limit=50')).body
  const failed = entries.filter(({ action }: { action: string }) => action === 'sign-in.failed')
  expect(failed.length).toBeGreaterThanOrEqual(10)
  expect(new Set(failed.map(({ user }: { user: { id: string } }) => user.id))).toEqual(new Set([id]))

  const { dataDir, secret } = server.config
  const run = (...args: string[]) =>
    runHuitou(['user', ...args, '--data', dataDir, '--json'], { HUITOU_SECRET: secret })
  expect(await run('reset-two-factor', 'Lan@example.com')).toMatchObject({ code: 0 })
  expect((await owner.get('/api/me')).status).toBe(401)
  expect(await asksForCode(owner)).toBe(false)
  expect((await owner.get('/api/account')).body).toMatchObject({ twoFactor: false })
  expect((await owner.get('/api/audit?limit=5')).body.entries).toContainEqual(
    expect.objectContaining({ action: 'person.two-factor-reset', subject: expect.stringContaining(id) }),
  )
})
