// Sends a batch of 100 events at a steady pace until its parent says so, and tells how long each waited for its answer.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { orderMessage } from './order-message.ts'

const [url = '', key = '', perSecond = '10'] = process.argv.slice(2)
const BATCH = 100
const waits: number[] = []
let accepted = 0
let longest = { ms: 0, after: 0 }
let failed = 0
let running = true
const started = performance.now()
process.once('message', () => (running = false))

async function send(): Promise<void> {
  const batch = Array.from({ length: BATCH }, (_, index) => ({
    ...orderMessage(index),
    messageId: randomUUID(),
  }))
  const begun = performance.now()
  const answer = await fetch(`${url}/v1/batch`, {
    method: 'POST',
    headers: { Authorization: `Basic ${btoa(`${key}:`)}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ batch }),
  }).catch(() => undefined)
  await answer?.arrayBuffer()
  const ms = performance.now() - begun
  waits.push(ms)
  if (ms > longest.ms) longest = { ms, after: begun - started }
  if (answer?.ok) accepted += BATCH
  else failed += BATCH
}

const under = new Set<Promise<void>>()
for (let sent = 0; running; sent++) {
  const one = send().finally(() => under.delete(one))
  under.add(one)
  // By the clock of the whole, so that a pause of this process is made up for.
  await sleep(Math.max(0, started + ((sent + 1) * 1_000) / Number(perSecond) - performance.now()))
}
await Promise.all(under)
process.send?.({ accepted, failed, waits, longest, ms: performance.now() - started })
process.disconnect?.()
