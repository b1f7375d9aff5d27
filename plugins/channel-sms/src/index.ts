import { definePlugin } from '@huitou/plugin-api'
import { aliyunProvider } from './aliyun/provider.ts'
import { createChannel } from './channel.ts'
import type { SmsSettings } from './channel.ts'
import { measureSms } from './measure.ts'
import type { LoggedSms } from './message-log.ts'
import { createPruning } from './prune.ts'
import { tencentProvider } from './tencent/provider.ts'

interface MeasureInput {
  text: string
  signature?: string
  abroad?: boolean
}

export default definePlugin<{ settings: SmsSettings; collections: { messages: LoggedSms } }>({
  activate(huitou, { subscriptions }) {
    const log = huitou.collections.messages
    const prune = createPruning({ log, huitou })
    for (const provider of [aliyunProvider(huitou), tencentProvider(huitou)]) {
      subscriptions.push(
        huitou.channels.register(provider.id, createChannel({ provider, log, huitou, prune })),
      )
    }
    subscriptions.push(
      huitou.commands.register('measure', { run: ({ text, ...how }: MeasureInput) => measureSms(text, how) }),
    )
  },
})
