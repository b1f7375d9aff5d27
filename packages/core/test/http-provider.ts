import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Channel, DeliveryResult, LookUpResult, Receipt } from '@huitou/plugin-api'
import type { Points } from '../src/points/points.ts'

/** How long the channel waits for an answer; some answers take longer. */
const PATIENCE_MS = 150

export interface HttpProvider extends AsyncDisposable {
  url: string
  /** How often each key reached it. */
  received: Map<string, number>
  /** How often it was called. */
  calls(): number
  /** Resolves when it has made up its mind about everything that was sent to it, also by those who died meanwhile. */
  quiet(): Promise<void>
  /** What it did to those who asked. */
  moods: Record<Mood, number>
}

type Mood = 'well' | 'busy' | 'broken' | 'mute' | 'gone' | 'partly'

/** One call in so many ends otherwise than well. */
const MOODS: readonly Mood[] = [
  'well',
  'well',
  'well',
  'well',
  'well',
  'busy',
  'broken',
  'mute',
  'gone',
  'partly',
]

/**
 * A provider that outlives whoever calls it and writes down what it got. It takes its time; now and then it is busy, or
 * takes everything and then fails, answers too late, or hangs up. Receipts it tells twice.
 */
export async function startHttpProvider(): Promise<HttpProvider> {
  const received = new Map<string, number>()
  const moods: HttpProvider['moods'] = { well: 0, busy: 0, broken: 0, mute: 0, gone: 0, partly: 0 }
  let [busy, heard] = [0, 0]
  const server = createServer((request, response) => {
    busy++
    heard++
    answer(request, response, { received, moods })
      .catch(() => response.destroy())
      .finally(() => busy--)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    moods,
    calls: () => Object.values(moods).reduce((sum, count) => sum + count, 0),
    async quiet() {
      for (let before = -1; busy > 0 || before !== heard;) {
        before = heard
        await sleep(50)
      }
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { received, moods }: Pick<HttpProvider, 'received' | 'moods'>,
): Promise<void> {
  const keys = JSON.parse(Buffer.concat(await request.toArray()).toString()) as string[]
  const reply = (status: number, body: unknown) => response.writeHead(status).end(JSON.stringify(body))
  if (request.url !== '/send')
    return void reply(
      200,
      keys.filter((key) => received.has(key)),
    )
  await sleep(Math.random() * 30)
  const mood = MOODS[Math.floor(Math.random() * MOODS.length)] as Mood
  moods[mood]++
  if (mood === 'busy') return void reply(503, [])
  const taken = mood === 'partly' ? keys.filter(() => Math.random() < 0.5) : keys
  for (const key of taken) received.set(key, (received.get(key) ?? 0) + 1)
  if (mood === 'gone') return void response.destroy()
  if (mood === 'mute') await sleep(PATIENCE_MS * 2)
  reply(mood === 'broken' ? 500 : 200, taken)
}

/** Adds the channel that speaks with the provider at `url`. */
export function addHttpProvider(points: Points, url: string): void {
  const post = (path: string, keys: string[]) =>
    fetch(`${url}${path}`, {
      method: 'POST',
      body: JSON.stringify(keys),
      signal: AbortSignal.timeout(PATIENCE_MS),
    })
  const known = async (keys: string[]) => new Set((await (await post('/known', keys)).json()) as string[])

  const run: Channel = {
    async send({ deliveries }) {
      const keys = deliveries.map(({ key }) => key)
      const lost = keys.map((key): DeliveryResult => ({ key, outcome: 'unknown' }))
      const response = await post('/send', keys).catch(() => undefined)
      if (response?.status === 503) throw new Error('503: nothing was taken')
      if (response?.status !== 200) return lost
      const taken = (await response.json().catch(() => undefined)) as string[] | undefined
      return taken
        ? keys.map((key): DeliveryResult =>
            taken.includes(key)
              ? { key, outcome: 'sent', providerId: key }
              : { key, outcome: 'failed', code: 'BUSY', message: 'Busy' },
          )
        : lost
    },
    async lookUp({ messages }) {
      const found = await known(messages.map(({ key }) => key))
      return messages.map(({ key }): LookUpResult =>
        found.has(key) ? { key, outcome: 'sent', providerId: key } : { key, outcome: 'absent' },
      )
    },
    async poll({ pending }, { now }) {
      const found = await known(pending.map(({ key }) => key))
      const receipts = [...found].map((key): Receipt => ({ providerId: key, kind: 'delivered', at: now }))
      return [...receipts, ...receipts]
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
