import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { startTestServer } from './test-server.ts'

const records = '/api/collections/huitou.channel-sandbox/messages/records'

test('the sandbox is there from the start, and a message given to it shows', async () => {
  await using server = await startTestServer()
  const owner = await server.as()
  const { core } = server.huitou
  const delivery = {
    key: '1.welcome.1',
    customerId: 1,
    address: 'u1',
    locale: 'en',
    content: { text: 'Hello' },
  }
  const context = { now: core.clock.now(), signal: AbortSignal.timeout(30_000) }
  const [sandbox] = core.points.channels.list()
  expect(sandbox?.id).toBe('huitou.channel-sandbox/message')
  const results = await sandbox!.value.run.send({ settings: {}, deliveries: [delivery] }, context)
  expect(results).toMatchObject([{ key: '1.welcome.1', outcome: 'sent' }])
  const shown = (await (await owner(records)).json()) as { records: { data: object }[] }
  expect(shown.records.map(({ data }) => data)).toMatchObject([{ text: 'Hello', state: 'sent' }])
  // The admin app has a page for sandboxes; a table of the extension's own would double it.
  expect(core.points.views.list().filter(({ owner }) => owner.plugin === 'huitou.channel-sandbox')).toEqual(
    [],
  )
})

test('channels that need an account come switched off, and stay so when their settings are saved', async () => {
  await using server = await startTestServer()
  const state = (id: string) => server.huitou.host.getPlugin(id).state
  const off = ['huitou.channel-email', 'huitou.channel-sms', 'huitou.channel-webhook']
  expect(off.map(state)).toEqual(['disabled', 'disabled', 'disabled'])
  await server.huitou.plugins.setSettings('huitou.channel-email', { inboundToken: 'sixteen characters' })
  await server.huitou.plugins.enable('huitou.channel-sms')
  await server.restart()
  expect(off.map(state)).toEqual(['disabled', 'enabled', 'disabled'])
})

test('a receipt that is pushed and signed is kept, and one that is not is refused', async () => {
  await using server = await startTestServer()
  const { plugins, core } = server.huitou
  const secret = 'only for tests, and long enough'
  await plugins.setSettings('huitou.channel-webhook', { receiptsSecret: secret })
  await plugins.enable('huitou.channel-webhook')
  const body = JSON.stringify({ id: '1.welcome.1', kind: 'read' })
  const timestamp = String(Math.floor(Date.now() / 1000))
  const post = (signature: string) =>
    fetch(`${server.url}/hooks/channel-webhook/receipts`, {
      method: 'POST',
      headers: { 'X-Webhook-Id': 'r1', 'X-Webhook-Timestamp': timestamp, 'X-Webhook-Signature': signature },
      body,
    })
  const signature = createHmac('sha256', secret).update(`r1.${timestamp}.${body}`).digest('hex')
  expect((await post('v1=0')).status).toBe(401)
  expect((await post(`v1=${signature}`)).status).toBe(202)
  // Its message was never sent from here, so the receipt waits for it.
  const kept = await core.database.db
    .selectFrom('early_receipts')
    .select(['channel', 'provider_id'])
    .execute()
  expect(kept).toEqual([{ channel: 'huitou.channel-webhook/post', provider_id: '1.welcome.1' }])
})
