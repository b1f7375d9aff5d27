import { expect, test } from 'vitest'
import { startTestServer } from './test-server.ts'

const OWNER = { name: '周岚', email: 'lan@example.com', password: 'correct horse battery', locale: 'zh-CN' }

test('the first to come makes the owner account, and nobody after that', async () => {
  await using server = await startTestServer()
  const setup = () =>
    fetch(`${server.url}/api/setup`).then(
      (answer) => answer.json() as Promise<{ needsOwner: boolean; hasData: boolean }>,
    )
  const make = (body: object) =>
    fetch(`${server.url}/api/setup/owner`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Origin: server.url },
      body: JSON.stringify(body),
    })
  expect(await setup()).toMatchObject({ needsOwner: true, hasData: false })
  const short = await make({ ...OWNER, password: 'short' })
  expect(short.status).toBe(400)
  expect(await short.json()).toMatchObject({
    code: 'E_INVALID',
    details: { mistakes: [{ path: 'password' }] },
  })
  const made = await make(OWNER)
  expect(made.status).toBe(201)
  const cookie = made.headers
    .getSetCookie()
    .map((line) => line.split(';', 1)[0])
    .join('; ')
  expect(await (await fetch(`${server.url}/api/me`, { headers: { Cookie: cookie } })).json()).toMatchObject({
    name: '周岚',
    role: 'owner',
    locale: 'zh-CN',
  })
  expect(await setup()).toMatchObject({ needsOwner: false })
  expect((await make({ ...OWNER, email: 'other@example.com' })).status).toBe(409)
})

test('nobody signs up uninvited', async () => {
  await using server = await startTestServer()
  const answer = await fetch(`${server.url}/api/auth/sign-up/email`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Origin: server.url },
    body: JSON.stringify(OWNER),
  })
  expect(answer.status).toBe(403)
  expect(await (await server.huitou.auth()).hasUsers()).toBe(false)
})

test('a role does what it may and is told what it lacks', async () => {
  await using server = await startTestServer()
  const analyst = await server.as({ role: 'analyst' })
  expect((await analyst('/api/settings')).status).toBe(200)
  for (const [path, method] of [
    ['/api/settings', 'PUT'],
    ['/api/settings/write-keys', 'GET'],
    ['/api/plugins/huitou.rfm/disable', 'POST'],
    ['/api/customers/1/reveal', 'POST'],
  ] as const) {
    const answer = await analyst(path, { method, ...(method === 'GET' ? {} : { body: '{}' }) })
    expect([path, answer.status]).toEqual([path, 403])
    expect(await answer.json()).toMatchObject({ code: 'E_FORBIDDEN' })
  }

  // Whoever answers customers reads what a channel is called, and nothing of its accounts.
  const agent = await server.as({ role: 'agent' })
  const owner = await server.as()
  const account = { channel: 'huitou.channel-sandbox/message', name: 'Main', settings: {} }
  await owner('/api/channels/accounts', { method: 'POST', body: JSON.stringify(account) })
  type Channels = { channels: { id: string; accounts: unknown[] }[] }
  const [all, names] = await Promise.all(
    [analyst, agent].map(async (ask) => ((await (await ask('/api/channels')).json()) as Channels).channels),
  )
  expect(names).toEqual(all?.map((channel) => ({ ...channel, accounts: [] })))
  expect(all?.some(({ accounts }) => accounts.length > 0)).toBe(true)
})

test('a page of another origin cannot act in the name of who is signed in', async () => {
  await using server = await startTestServer()
  const call = await server.as()
  const answer = await call('/api/plugins/huitou.rfm/disable', {
    method: 'POST',
    headers: { Origin: 'https://evil.example', 'Content-Type': 'text/plain' },
    body: 'x',
  })
  expect(answer.status).toBe(403)
})

test('what is masked is shown on request, and who looked is written down', async () => {
  await using server = await startTestServer()
  const call = await server.as()
  await server.huitou.core.events.append([
    {
      message_id: 'a',
      source: 't',
      type: 'identify',
      name: null,
      ts: 1,
      version: 1,
      body: JSON.stringify({ userId: 'u', traits: { phone: '13800138000', name: '林' } }),
    },
    {
      message_id: 'b',
      source: 't',
      type: 'track',
      name: 'Parcel Sent',
      ts: 2,
      version: 1,
      body: JSON.stringify({ userId: 'u', properties: { box: 7, receiver_phone: '13900139000' } }),
    },
  ])
  await server.settle()
  const customer = (await (await call('/api/customers/1')).json()) as {
    columns: Record<string, string>
    identifiers: { id: number; kind: string; value: string }[]
  }
  expect(customer.columns['t_phone']).toBe('138****8000')
  const phone = customer.identifiers.find(({ kind }) => kind === 'phone')
  expect(phone?.value).toBe('138****8000')
  expect(JSON.stringify(customer)).not.toContain('13800138000')
  const reveal = await call('/api/customers/1/reveal', {
    method: 'POST',
    body: JSON.stringify({ identifier: phone?.id }),
  })
  expect(await reveal.json()).toEqual({ value: '+8613800138000' })
  const timeline = await (await call('/api/customers/1/timeline?limit=5&names=Parcel%20Sent')).json()
  const [parcel] = (timeline as { entries: { seq: number; properties: object; masked: string[] }[] }).entries
  expect(parcel).toMatchObject({
    properties: { box: 7, receiver_phone: '139****9000' },
    masked: ['receiver_phone'],
  })
  const inClear = await call('/api/customers/1/reveal', {
    method: 'POST',
    body: JSON.stringify({ event: parcel?.seq }),
  })
  expect(await inClear.json()).toEqual({ value: '{"box":7,"receiver_phone":"13900139000"}' })
  const log = await server.huitou.core.database.db
    .selectFrom('audit_log')
    .select(['action', 'subject', 'details'])
    .where('action', '!=', 'sign-in')
    .execute()
  expect(log).toEqual([
    { action: 'customer.reveal', subject: '1', details: `{"what":"identifier ${phone?.id}"}` },
    { action: 'customer.reveal', subject: '1', details: `{"what":"event ${parcel?.seq}"}` },
  ])
})
