import { definePlugin } from '@huitou/plugin-api'
import { createChannel } from './channel.ts'
import type { Message } from './messages.ts'

export default definePlugin<{ collections: { messages: Message } }>({
  activate(huitou, { subscriptions }) {
    subscriptions.push(huitou.channels.register('message', createChannel(huitou.collections.messages)))
  },
})
