import { definePlugin } from '@huitou/plugin-api'
import { createChannel } from './channel.ts'
import type { EmailSettings } from './channel.ts'

export default definePlugin<{ settings: EmailSettings }>({
  activate(huitou, { subscriptions }) {
    subscriptions.push(huitou.channels.register('mail', createChannel(huitou)))
  },
})
