import type { Channel, ChannelContribution, Delivery, DeliveryResult, Receipt } from '@huitou/plugin-api'
import type { PointOwner, Points } from '../src/points/points.ts'

const owner: PointOwner = {
  plugin: 'test.channel',
  prefix: 'test',
  text: (text) => (typeof text === 'string' ? { en: text, 'zh-CN': text } : text),
}

export interface RecordingChannel {
  id: string
  /** Every message that reached the provider, in order. */
  received: Delivery[]
  /** What the provider answers; `sent` if absent. */
  answer?: ((delivery: Delivery) => DeliveryResult | 'lost') | undefined
  /** Thrown instead of sending anything. */
  failure?: Error | undefined
  receipts: Receipt[]
  /** What it says when it is polled; `receipts` if absent. */
  poll?: Channel['poll']
  remove(): void
}

/** A provider that remembers what it got, and answers what the test wants. */
export function addRecordingChannel(
  points: Points,
  declared: Partial<ChannelContribution> & { id?: string } = {},
): RecordingChannel {
  const id = declared.id ?? 'test.channel/sms'
  const recording: RecordingChannel = { id, received: [], receipts: [], remove: () => {} }
  const providerIdOf = (key: string) => `p:${key}`
  const run: Channel = {
    send({ deliveries }) {
      if (recording.failure) throw recording.failure
      return deliveries.map((delivery) => {
        const answer = recording.answer?.(delivery) ?? 'sent'
        if (answer === 'lost') {
          recording.received.push(delivery)
          return { key: delivery.key, outcome: 'unknown' as const }
        }
        if (answer !== 'sent') return answer
        recording.received.push(delivery)
        return { key: delivery.key, outcome: 'sent' as const, providerId: providerIdOf(delivery.key) }
      })
    },
    poll: (request, context) => recording.poll?.(request, context) ?? recording.receipts.splice(0),
    lookUp: ({ messages }) =>
      messages.map(({ key }) =>
        recording.received.some((delivery) => delivery.key === key)
          ? { key, outcome: 'sent' as const, providerId: providerIdOf(key) }
          : { key, outcome: 'absent' as const },
      ),
  }
  recording.remove = points.channels.add(owner, id, {
    title: 'Test',
    messages: ['text'],
    guarantee: 'pushed',
    address: 'phone',
    receipts: ['delivered', 'read', 'clicked'],
    content: { type: 'object' },
    ...declared,
    id: id.slice(id.indexOf('/') + 1),
    run,
  })
  return recording
}

export { owner as testOwner }
