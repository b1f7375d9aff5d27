import type { AppError } from '@huitou/plugin-api'
import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { Buckets } from './rate-limits.ts'
import { wholeBodies } from './whole-body.ts'

function appWith(limits: Parameters<typeof wholeBodies>[0]) {
  const app = new Hono().use(wholeBodies(limits)).post('/tea', async (c) => c.json(await c.req.json()))
  app.onError((error, c) => c.text((error as AppError).code, (error as AppError).status as 400))
  return app
}

const post = (body: string | ReadableStream) =>
  ({
    method: 'POST',
    body,
    duplex: 'half',
    headers: { 'Content-Type': 'application/json' },
  }) as RequestInit

test('a body is there when the handler asks; one without end is cut off by its length, one that stalls by time', async () => {
  const app = appWith({ bytes: 100, arrivalMs: 50 })
  expect(await (await app.request('/tea', post('{"cups":1}'))).json()).toEqual({ cups: 1 })
  const endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(60)) })
  expect(await (await app.request('/tea', post(endless))).text()).toBe('E_BODY_TOO_LARGE')
  let isCancelled = false
  const stalled = new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode('{')),
    cancel: () => void (isCancelled = true),
  })
  const late = await app.request('/tea', post(stalled))
  expect([late.status, await late.text()]).toEqual([408, 'E_BODY_SLOW'])
  expect(isCancelled).toBe(true)
  expect(await (await app.request('/tea%00', post('{}'))).text()).toBe('E_CHARACTER')
})

test('a bucket lets a burst through, refills by the second, and forgets the oldest of too many senders', () => {
  let now = 0
  const buckets = new Buckets({ perSecond: 2, burst: 3 }, () => now)
  const take = (times: number) => Array.from({ length: times }, () => buckets.take('a'))
  expect(take(4)).toEqual([0, 0, 0, 500])
  now += 1_000
  expect(take(3)).toEqual([0, 0, 500])
  now += 3_600_000
  expect(take(4)).toEqual([0, 0, 0, 500])
  for (let sender = 0; sender < 30_000; sender++) buckets.take(String(sender))
  expect(buckets.size).toBe(20_000)
})
