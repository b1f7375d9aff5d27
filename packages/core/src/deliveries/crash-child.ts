import { appendFileSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Channel } from '@huitou/plugin-api'
import { createCore } from '../core.ts'
import { openDatabase } from '../db/database.ts'

// Sends what is due, in a process that the test may kill at any moment. The provider is a file that outlives it.
const [dataDir, provider, now, url] = process.argv.slice(2) as [string, string, string, string | undefined]
const database = openDatabase(url ? { url, poolSize: 4 } : { file: `${dataDir}/huitou.db`, readers: 1 })
const core = await createCore({ database, dataDir, clock: { now: () => Number(now) } })
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
core.points.channels.add(
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
process.stdout.write('ready\n')
await core.settle()
await core.deliveries.finish()
process.stdout.write('settled\n')
await core.stop()
await database.close()
