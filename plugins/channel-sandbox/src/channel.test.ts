import { memoryCollection } from '@huitou/testing/memory-collection'
import { expect, test } from 'vitest'
import { createChannel } from './channel.ts'
import type { Message } from './messages.ts'

const now = Date.UTC(2026, 2, 1, 4)
const context = { now, signal: new AbortController().signal }
const deliveries = ['a', 'b'].map((key) => ({
  key,
  customerId: 1,
  address: 'u1',
  locale: 'en',
  content: { title: 'Spring', text: `Hello ${key}` },
}))

test('a message sent twice is there once, and can be looked up', async () => {
  const messages = memoryCollection<Message>({ now: () => now })
  const channel = createChannel(messages)
  const first = await channel.send({ settings: {}, deliveries }, context)
  expect(await channel.send({ settings: {}, deliveries }, context)).toEqual(first)
  const { records } = await messages.find()
  expect(records.map(({ data }) => data)).toMatchObject([
    { key: 'a', customer: 1, title: 'Spring', text: 'Hello a', state: 'sent' },
    { key: 'b', text: 'Hello b' },
  ])
  const asked = ['a', 'c'].map((key) => ({ key, address: 'u1', at: now }))
  const looked = await channel.lookUp!({ settings: {}, messages: asked }, context)
  expect(looked.map(({ outcome }) => outcome)).toEqual(['sent', 'absent'])
})

test('receipts are made up only where that is wanted, and show', async () => {
  const messages = memoryCollection<Message>({ now: () => now })
  const channel = createChannel(messages)
  const [sent] = await channel.send({ settings: {}, deliveries }, context)
  const pending = [{ key: 'a', providerId: (sent as { providerId: string }).providerId }]
  const later = { ...context, now: now + 3_600_000 }
  const settings = { bouncePercent: 100 }
  expect(await channel.poll!({ settings: { ...settings, simulate: false }, pending }, later)).toEqual([])
  expect(await channel.poll!({ settings, pending }, later)).toMatchObject([{ kind: 'bounced', key: 'a' }])
  expect((await messages.find({ where: { key: 'a' } })).records[0]?.data.state).toBe('bounced')
})
