import { appendFileSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Channel } from '@huitou/plugin-api'
import type { Points } from '../src/points/points.ts'

/**
 * A provider that is a file, so that it outlives whoever calls it: one line for every message it took. Now and then it
 * is busy, and now and then its answer is lost.
 */
export function addFileProvider(points: Points, provider: string): void {
  const received = () => readFileSync(provider, 'utf8').split('\n').filter(Boolean)
  let call = 0

  const run: Channel = {
    async send({ deliveries }) {
      call++
      await sleep(call % 3)
      return deliveries.map(({ key }) => {
        // Some the provider refuses for the moment, of some the answer gets lost on its way back.
        const kind = Math.floor(Math.random() * 11)
        if (kind === 3) return { key, outcome: 'failed' as const, code: 'BUSY', message: 'Busy' }
        appendFileSync(provider, `${key}\n`)
        if (kind === 7) return { key, outcome: 'unknown' as const }
        return { key, outcome: 'sent' as const, providerId: key }
      })
    },
    lookUp({ messages }) {
      const known = new Set(received())
      return messages.map(({ key }) =>
        known.has(key)
          ? { key, outcome: 'sent' as const, providerId: key }
          : { key, outcome: 'absent' as const },
      )
    },
  }
  points.channels.add(
    {
      plugin: 'test.channel',
      prefix: 'test',
      text: (text) => (typeof text === 'string' ? { en: text, 'zh-CN': text } : text),
    },
    'test.channel/sms',
    {
      id: 'sms',
      title: 'SMS',
      messages: ['text'],
      guarantee: 'pushed',
      address: 'phone',
      limits: { batchSize: 20 },
      content: { type: 'object' },
      run,
    },
  )
}
