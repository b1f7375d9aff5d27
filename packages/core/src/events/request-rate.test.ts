import { createTestCore, FakeClock } from '@huitou/testing'
import { expect, test } from 'vitest'
import { answerProblem } from '../http/problem.ts'
import { RequestRate } from './request-rate.ts'
import { ingestRoutes } from './routes.ts'
import { createWriteKey } from './write-keys.ts'

test('a sender has its requests back as seconds pass, and no more than one second of them', () => {
  const clock = new FakeClock(0)
  const rate = new RequestRate(clock, 10)
  const taken = () => Array.from({ length: 20 }, () => rate.take('shop')).filter((wait) => wait === 0).length
  expect(taken()).toBe(10)
  expect(rate.take('shop')).toBe(100)
  expect(rate.take('other shop')).toBe(0)
  clock.advance(500)
  expect(taken()).toBe(5)
  clock.advance(3_600_000)
  expect(taken()).toBe(10)
})

test('a source that sends too fast is told when to come back', async () => {
  await using core = await createTestCore()
  const app = ingestRoutes({ ...core, requestsPerSecond: 2 })
  app.onError((error, c) => answerProblem(c, error, core.log))
  const { key } = await createWriteKey(core.database.db, core.clock, 'shop')
  const send = (messageId: string) =>
    app.request('/track', {
      method: 'POST',
      headers: { Authorization: `Bearer ${key}` },
      body: JSON.stringify({ event: 'Seen', userId: 'u', messageId }),
    })
  expect((await send('1')).status).toBe(200)
  expect((await send('2')).status).toBe(200)
  const refused = await send('3')
  expect([refused.status, refused.headers.get('Retry-After')]).toEqual([429, '1'])
  core.clock.advance(1_000)
  expect((await send('3')).status).toBe(200)
})
