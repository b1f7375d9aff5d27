import { createTestCore } from '@huitou/testing'
import { expect, test } from 'vitest'
import { addRecordingChannel } from '../../test/recording-channel.ts'
import { signedIn } from '../../test/signed-in.ts'
import { planDeliveries } from '../journeys/outbox.ts'
import { transact } from '../db/database.ts'
import { channelRoutes } from './channel-routes.ts'
import { consentRoutes } from './consent-routes.ts'
import { contactPolicyRoutes } from './policy-routes.ts'
import { deliveryRoutes } from './routes.ts'

async function startApp() {
  const core = await createTestCore({ now: '2026-11-20T10:00:00+08:00' })
  const call = signedIn(core, (app) =>
    app
      .route('/deliveries', deliveryRoutes(core))
      .route('/channels', channelRoutes(core))
      .route('/contact-policy', contactPolicyRoutes(core))
      .route('/customers', consentRoutes(core)),
  )
  const ask = async (path: string, body?: unknown, method = body === undefined ? 'GET' : 'POST') => {
    const answer = await call(method, path, body)
    return { status: answer.status, body: (await answer.json()) as Record<string, any> }
  }
  await core.send({
    type: 'identify',
    userId: 'a',
    traits: { name: '林晴', phone: '13800001234', city: '杭州' },
  })
  await core.settle()
  const customer = await core.database.db
    .selectFrom('profiles')
    .select('customer_id')
    .executeTakeFirstOrThrow()
  const plan = async (key: string, channel: string, text = 'Hi') => {
    await transact(core.database.db, (tx) =>
      planDeliveries(
        tx,
        [
          {
            key,
            kind: 'message',
            customerId: customer.customer_id,
            channel,
            account: '',
            content: { text },
            dueAt: core.clock.now(),
          },
        ],
        core.clock.now(),
      ),
    )
    await core.settle()
  }
  return { core, ask, plan, id: customer.customer_id }
}

test('the log says who, why and what was said, with personal data masked', async () => {
  const { core, ask, plan, id } = await startApp()
  await using _ = core
  const sms = addRecordingChannel(core.points)
  await plan('1', sms.id, '{{customer.t_name}} {{customer.t_phone}}')
  await plan('2', sms.id)
  expect(sms.received[0]?.content['text']).toContain('13800001234')
  const { deliveries } = (await ask('/deliveries')).body
  expect(deliveries).toMatchObject([
    { state: 'refused', reason: 'cap_channel_day', customerName: '林晴', excerpt: null },
    { state: 'sent', customerId: id, excerpt: '林晴 138****1234' },
  ])
  const sent = (await ask(`/deliveries/${deliveries[1].id}`)).body
  expect(sent).toMatchObject({ isFilledIn: true, content: { text: '林晴 138****1234' } })
  expect((await ask(`/deliveries/${sent['id']}/receipts`, { kind: 'read' })).body['code']).toBe(
    'E_DELIVERY_REAL',
  )
  core.clock.advance(86_400_000)
  await plan('3', sms.id)
  expect((await ask('/deliveries/summary?kind=message')).body).toMatchObject({
    total: 3,
    states: { sent: 2, refused: 1 },
    reasons: [{ state: 'refused', reason: 'cap_channel_day', count: 1 }],
    days: [
      { day: '2026-11-20', states: { sent: 1, refused: 1 } },
      { day: '2026-11-21', states: { sent: 1 } },
    ],
  })
  const today = core.clock.now() - 3_600_000
  expect((await ask(`/deliveries?from=${today}`)).body['deliveries']).toHaveLength(1)
  expect((await ask(`/deliveries?to=${today}&state=sent,refused`)).body['deliveries']).toHaveLength(2)
})

test('a message on a channel that reaches nobody is answered by hand, and the answer is an event', async () => {
  const { core, ask, plan } = await startApp()
  await using _ = core
  const sandbox = addRecordingChannel(core.points, { id: 'test.channel/sandbox', sandbox: true })
  await plan('1', sandbox.id)
  const [{ id }] = (await ask('/deliveries')).body['deliveries']
  const answered = await ask(`/deliveries/${id}/receipts`, { kind: 'replied', detail: 'Yes' })
  expect(answered.body).toMatchObject({ state: 'replied' })
  await core.settle()
  const events = await core.database.db.selectFrom('timeline').select('name').orderBy('seq').execute()
  expect(events.map(({ name }) => name).slice(-2)).toEqual(['message.sent', 'message.replied'])
})

test('consents are written down with who said so and why, and hold from the next message on', async () => {
  const { core, ask, plan, id } = await startApp()
  await using _ = core
  const sms = addRecordingChannel(core.points)
  const change = { channel: sms.id, state: 'withdrawn', reason: 'Asked by phone' }
  expect((await ask(`/customers/${id}/consents`, { ...change, reason: ' ' })).status).toBe(400)
  expect((await ask(`/customers/${id}/consents`, change)).status).toBe(202)
  await core.settle()
  await plan('1', sms.id)
  expect((await ask('/deliveries')).body['deliveries']).toMatchObject([{ reason: 'consent_withdrawn' }])
  expect((await ask(`/customers/${id}/consents`)).body).toMatchObject({
    consents: [{ channel: sms.id, purpose: 'marketing', state: 'withdrawn' }],
    evidence: [{ name: 'consent.withdrawn', reason: 'Asked by phone', by: 'u1' }],
  })
})

test('another policy is tried on the messages of the last 30 days before it holds', async () => {
  const { core, ask, plan } = await startApp()
  await using _ = core
  const [a, b] = ['test.channel/a', 'test.channel/b'].map((id) => addRecordingChannel(core.points, { id }))
  for (let day = 0; day < 3; day++) {
    await plan(`a${day}`, a!.id)
    await plan(`b${day}`, b!.id)
    core.clock.advance(86_400_000)
  }
  const policy = (await ask('/contact-policy')).body
  const draft = { ...policy, caps: { ...policy['caps'], perDay: 1 } }
  expect((await ask('/contact-policy/preview', draft)).body).toMatchObject({
    messages: 6,
    current: { sent: 6, refused: 0 },
    draft: { sent: 3, refused: 3, reasons: [{ reason: 'cap_day', count: 3 }] },
  })
  const budgets = [{ name: 'Two', channels: [a!.id], per: 'month', limit: 2, scope: 'total' }]
  await ask('/contact-policy', { ...policy, budgets }, 'PUT')
  expect((await ask('/contact-policy/budgets')).body['budgets']).toMatchObject([
    { name: 'Two', used: 3, customers: 1, exhausted: 1 },
  ])
})

test('a secret of an account that is left out stays, and is never read out', async () => {
  const { core, ask } = await startApp()
  await using _ = core
  const tried: Record<string, unknown>[] = []
  const sms = addRecordingChannel(core.points, {
    settings: {
      type: 'object',
      required: ['token'],
      properties: { token: { type: 'string', secret: true }, sender: { type: 'string' } },
    },
  })
  core.points.channels.find(sms.id)!.value.run.verifySettings = (settings) => {
    tried.push(settings)
    return { ok: true, note: 'Signed in' }
  }
  const settings = { token: 's3cret', sender: 'A' }
  const { body } = await ask('/channels/accounts', { channel: sms.id, name: 'Main', settings })
  expect(body).toMatchObject({ note: 'Signed in', breaker: 'closed' })
  expect((await ask(`/channels/accounts/${body['id']}`)).body).toMatchObject({ settings: { sender: 'A' } })
  expect(JSON.stringify((await ask(`/channels/accounts/${body['id']}`)).body)).not.toContain('s3cret')
  const changed = { channel: sms.id, name: 'Main', settings: { sender: 'B' } }
  expect((await ask(`/channels/accounts/${body['id']}`, changed, 'PUT')).status).toBe(200)
  expect(tried.at(-1)).toEqual({ token: 's3cret', sender: 'B' })
})
