import { expect, test } from 'vitest'
import { startTestServer } from './test-server.ts'

const records = '/api/collections/huitou.channel-sandbox/messages/records'

test('the sandbox is there from the start, and a message given to it shows', async () => {
  await using server = await startTestServer()
  const owner = await server.as()
  const { host } = server.huitou
  const delivery = {
    key: '1.welcome.1',
    customerId: 1,
    address: 'u1',
    locale: 'en',
    content: { text: 'Hello' },
  }
  const results = await host.call('huitou.channel-sandbox', 'channels', 'message', 'send', [
    { settings: {}, deliveries: [delivery] },
  ])
  expect(results).toMatchObject([{ key: '1.welcome.1', outcome: 'sent' }])
  const shown = (await (await owner(records)).json()) as { records: { data: object }[] }
  expect(shown.records.map(({ data }) => data)).toMatchObject([{ text: 'Hello', state: 'sent' }])
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
