// Sends batches over kept-alive connections for a while and tells its parent how many events were acknowledged.
import { randomUUID } from 'node:crypto'
import { Agent, request } from 'node:http'
import { orderMessage } from './order-message.ts'

const [url = '', key = '', connections = '16', seconds = '5'] = process.argv.slice(2)
const BATCH = 100
const agent = new Agent({ keepAlive: true, maxSockets: Number(connections) })
const authorization = `Basic ${Buffer.from(`${key}:`).toString('base64')}`
/** Written once: only the message ids differ, so that the sender leaves the processor to the server. */
const template = JSON.stringify({
  batch: Array.from({ length: BATCH }, (_, index) => ({ ...orderMessage(index), messageId: '@' })),
}).split('"@"')

let accepted = 0
const started = performance.now()
const until = started + Number(seconds) * 1_000
await Promise.all(Array.from({ length: Number(connections) }, keepSending))
process.send?.({ accepted, ms: performance.now() - started })
process.disconnect?.()
agent.destroy()

async function keepSending(): Promise<void> {
  while (performance.now() < until) {
    const answer = await post(template.reduce((body, part) => `${body}"${randomUUID()}"${part}`))
    if (answer.accepted !== BATCH) throw new Error(`The server answered ${JSON.stringify(answer)}`)
    accepted += BATCH
  }
}

function post(body: string): Promise<{ accepted?: number }> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    }
    const call = request(`${url}/v1/batch`, { method: 'POST', agent, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve(JSON.parse(text) as { accepted?: number }))
    })
    call.on('error', reject)
    call.end(body)
  })
}
