import { mkdirSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import path from 'node:path'

/** A provider that writes down how often each message reached it, and knows what it got. */
export interface CountingProvider extends AsyncDisposable {
  readonly url: string
  /** Times that a key reached it. */
  readonly received: Map<string, number>
  /** Times that an address was written to. */
  readonly written: Map<string, number>
}

export async function startCountingProvider(): Promise<CountingProvider> {
  const received = new Map<string, number>()
  const written = new Map<string, number>()
  const count = (map: Map<string, number>, key: string) => void map.set(key, (map.get(key) ?? 0) + 1)
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    try {
      const asked = JSON.parse(Buffer.concat(await request.toArray()).toString()) as {
        key: string
        address?: string
      }[]
      if (request.url === '/send') {
        for (const { key, address } of asked) {
          count(received, key)
          count(written, address ?? '')
        }
      }
      response.end(JSON.stringify(asked.map(({ key }) => key).filter((key) => received.has(key))))
    } catch {
      response.destroy()
    }
  }
  const server = createHttpServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    written,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Writes the folder of a plugin whose channel `test.counting/sms` speaks with the provider. */
export function writeCountingPlugin(folder: string, url: string): string {
  mkdirSync(folder, { recursive: true })
  const manifest = {
    name: 'counting',
    publisher: 'test',
    version: '1.0.0',
    license: 'Apache-2.0',
    type: 'module',
    displayName: 'Counting',
    description: 'Counts',
    engines: { huitou: '^0.2.0' },
    main: 'index.js',
    contributes: {
      channels: [
        {
          id: 'sms',
          title: 'SMS',
          messages: ['text'],
          guarantee: 'pushed',
          address: 'user_id',
          limits: { batchSize: 20 },
          content: { type: 'object', properties: { text: { type: 'string', title: 'Text' } } },
        },
      ],
    },
  }
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify(manifest))
  writeFileSync(
    path.join(folder, 'index.js'),
    `
const ask = async (route, body) => {
  const signal = AbortSignal.timeout(2_000)
  const answer = await fetch('${url}' + route, { method: 'POST', body: JSON.stringify(body), signal })
  return new Set(await answer.json())
}
export default {
  activate(huitou) {
    huitou.channels.register('sms', {
      async send({ deliveries }) {
        const taken = await ask('/send', deliveries.map(({ key, address }) => ({ key, address }))).catch(() => undefined)
        return deliveries.map(({ key }) =>
          taken ? { key, outcome: 'sent', providerId: key } : { key, outcome: 'unknown' })
      },
      async lookUp({ messages }) {
        const known = await ask('/known', messages.map(({ key }) => ({ key })))
        return messages.map(({ key }) =>
          known.has(key) ? { key, outcome: 'sent', providerId: key } : { key, outcome: 'absent' })
      },
    })
  },
}
`,
  )
  return folder
}
