import type { Channel, Collection } from '@huitou/plugin-api'
import { keepMessage } from './messages.ts'
import type { Message, MessageState } from './messages.ts'
import { readHabits, receiptsUntil } from './simulate.ts'

/** Takes every message, shows it and sends nothing; makes receipts up when asked to. */
export function createChannel(messages: Collection<Message>): Channel {
  return {
    async send({ deliveries }, { now }) {
      const results = []
      for (const delivery of deliveries) {
        const providerId = await keepMessage(messages, delivery, now)
        results.push({ key: delivery.key, outcome: 'sent' as const, providerId })
      }
      return results
    },

    async poll({ settings, pending }, { now }) {
      if (settings['simulate'] === false) return []
      const habits = readHabits(settings)
      const receipts = []
      const { records } =
        pending.length === 0
          ? { records: [] }
          : await messages.find({ where: { key: { in: pending.map(({ key }) => key) } }, limit: 1_000 })
      const byKey = new Map(records.map((message) => [message.data.key, message]))
      for (const { key, providerId } of pending) {
        const message = byKey.get(key)
        if (!message) continue
        const sentAt = Date.parse(message.data.sent_at)
        const told = receiptsUntil({ key, providerId, sentAt, now }, habits)
        const state = told.at(-1)?.kind as MessageState | undefined
        if (state && state !== message.data.state) await messages.update(message.id, { state })
        receipts.push(...told)
      }
      return receipts
    },

    async lookUp({ messages: asked }) {
      const results = []
      for (const { key } of asked) {
        const { records } = await messages.find({ where: { key }, limit: 1 })
        results.push(
          records[0]
            ? { key, outcome: 'sent' as const, providerId: records[0].id }
            : { key, outcome: 'absent' as const },
        )
      }
      return results
    },

    verifySettings() {
      return { ok: true }
    },
  }
}
