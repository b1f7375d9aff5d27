import { definePlugin } from '@huitou/plugin-api'
import { createChannel } from './channel.ts'

export default definePlugin({
  activate(huitou, { subscriptions }) {
    subscriptions.push(huitou.channels.register('mail', createChannel()))
  },
})
