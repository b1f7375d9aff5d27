import { openWebhookReceiver, routeFetch } from '@huitou/simulators'
import type { WebhookReceiver } from '@huitou/simulators'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createChannel } from './channel.ts'
import { signedHeaders } from './signature.ts'

const secret = 'a secret of the shop'
const settings = { url: 'https://shop.example.com/messages', secret }
const now = Date.UTC(2026, 2, 1, 4)
const context = { now, signal: new AbortController().signal }
const delivery = (key: string) => ({
  key,
  customerId: 7,
  address: 'u7',
  locale: 'zh-CN',
  content: { text: '你好' },
})

let receiver: WebhookReceiver
let channel: ReturnType<typeof createChannel>

beforeEach(async () => {
  receiver = await openWebhookReceiver({ secret, now: () => now })
  channel = createChannel({ fetch: routeFetch({ 'shop.example.com': receiver.url }) })
})
afterEach(() => receiver[Symbol.asyncDispose]())

const send = (keys: string[], more: object = {}) =>
  channel.send({ settings: { ...settings, ...more }, deliveries: keys.map(delivery) }, context)

test('a message arrives signed, with what it is about', async () => {
  expect(await send(['1.welcome.1'])).toEqual([
    { key: '1.welcome.1', outcome: 'sent', providerId: '1.welcome.1' },
  ])
  expect(receiver.taken.get('1.welcome.1')).toEqual({
    id: '1.welcome.1',
    customerId: 7,
    address: 'u7',
    locale: 'zh-CN',
    content: { text: '你好' },
  })
})

test('another secret, or a clock that is off, is refused', async () => {
  expect(await send(['a'], { secret: 'not the secret of the shop' })).toMatchObject([
    { outcome: 'refused', code: 'HTTP_401' },
  ])
  const late = await channel.send(
    { settings, deliveries: [delivery('a')] },
    { ...context, now: now - 600_000 },
  )
  expect(late).toMatchObject([{ outcome: 'refused', code: 'HTTP_400' }])
  expect(receiver.taken.size).toBe(0)
})

test('a lost answer is unknown, and the same key again reaches the customer once', async () => {
  receiver.faults.next('lost')
  expect(await send(['a'])).toMatchObject([{ key: 'a', outcome: 'unknown' }])
  expect(await send(['a'])).toMatchObject([{ key: 'a', outcome: 'sent' }])
  expect(receiver.requests).toEqual([
    { id: 'a', again: false },
    { id: 'a', again: true },
  ])
  expect(receiver.taken.size).toBe(1)
})

test('a receiver that is busy is tried again; one that does not want the message is not', async () => {
  receiver.faults.next('busy')
  receiver.unwanted.add('b')
  const [busy] = await send(['a'])
  const [unwanted] = await send(['b'])
  expect([busy, unwanted]).toMatchObject([
    { outcome: 'failed', code: 'HTTP_503' },
    { outcome: 'refused', code: 'HTTP_422' },
  ])
})

test('a receiver that is not there has taken nothing', async () => {
  await receiver[Symbol.asyncDispose]()
  expect(await send(['a'])).toMatchObject([{ outcome: 'failed', code: 'E_FETCH' }])
  receiver = await openWebhookReceiver({ secret })
})

const receive = (body: string, headers: Record<string, string>, at = now) =>
  channel.handleWebhook!(
    {
      path: 'receipts',
      method: 'POST',
      headers,
      body: new TextEncoder().encode(body),
      settings: { receiptsSecret: secret },
    },
    { ...context, now: at },
  )

test('receipts are believed when they are signed and fresh', async () => {
  const body = JSON.stringify([{ id: 'a', kind: 'read', at: now - 5 }])
  const headers = signedHeaders({ id: 'r1', body, now }, secret)
  expect(await receive(body, headers)).toEqual({
    status: 202,
    receipts: [{ providerId: 'a', key: 'a', kind: 'read', at: now - 5 }],
  })
  expect(await receive(body.replace('read', 'replied'), headers)).toMatchObject({ status: 401 })
  expect(await receive(body, headers, now + 6 * 60_000)).toMatchObject({ status: 401 })
  expect(await receive('[{}]', signedHeaders({ id: 'r2', body: '[{}]', now }, secret))).toMatchObject({
    status: 400,
  })
})
