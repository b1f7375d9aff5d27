import { Hono } from 'hono'
import { expect, test } from 'vitest'
import type { SignedIn } from '../http/env.ts'
import { createPoints } from './points.ts'
import { viewCallRoutes } from './view-calls.ts'

const owner = { plugin: 'acme.cards', prefix: 'cards', text: (text: unknown) => text as never }
const number = { type: 'number' }

/** Asks `name` of a page as somebody with `role`; `answers` is what the plugin does. */
async function ask(
  name: string,
  input: unknown,
  { role = 'operator', answers = async () => 3 as unknown } = {},
) {
  const points = createPoints()
  const calls = {
    twice: { input: number, output: number },
    count: { readOnly: true, output: number },
    free: {},
  }
  const view = { id: 'page', title: 'Page', kind: 'webview', place: 'activityBar', calls } as const
  points.views.add(owner, 'acme.cards/page', { ...view, call: answers })
  const app = new Hono<SignedIn>()
    .use(async (c, next) => {
      c.set('user', { id: 'u1', role, locale: 'en' } as SignedIn['Variables']['user'])
      await next()
    })
    .route('/', viewCallRoutes({ points, clock: { now: () => 0 }, pluginFacts: async () => new Map() }))
  app.onError((error) => {
    throw error
  })
  const body = JSON.stringify({ input })
  const headers = { 'content-type': 'application/json', 'content-length': String(body.length) }
  try {
    const answer = await app.request(`/acme.cards/page/calls/${name}`, { method: 'POST', headers, body })
    return ((await answer.json()) as { answer: unknown }).answer
  } catch (error) {
    return (error as { code: string }).code
  }
}

test('a page is answered by the code behind it, in the language and with the time of the shop', async () => {
  const heard: unknown[] = []
  const answers = async (...args: unknown[]) => (heard.push(args), 4)
  expect(await ask('twice', 2, { answers })).toBe(4)
  expect(heard).toMatchObject([['twice', 2, { now: 0, locale: 'en' }]])
})

test.each([
  { what: 'a call that is not declared', name: 'toString', input: 1, code: 'E_NOT_FOUND' },
  { what: 'input that does not fit', name: 'twice', input: 'two', code: 'E_VIEW_CALL_INPUT' },
  { what: 'input where none is declared', name: 'free', input: 1, code: 'E_VIEW_CALL_INPUT' },
  { what: 'too much input', name: 'twice', input: 'x'.repeat(300_000), code: 'E_VIEW_CALL_SIZE' },
])('$what is refused before the plugin hears of it', async ({ name, input, code }) => {
  let heard = false
  expect(await ask(name, input, { answers: async () => (heard = true) })).toBe(code)
  expect(heard).toBe(false)
})

test('an answer that does not fit, or is too large, does not reach the page', async () => {
  expect(await ask('count', undefined, { answers: async () => 'three' })).toBe('E_VIEW_CALL_ANSWER')
  expect(await ask('free', undefined, { answers: async () => 'x'.repeat(2_000_000) })).toBe(
    'E_VIEW_CALL_SIZE',
  )
})

test('who may not have anything done may only ask what changes nothing', async () => {
  expect(await ask('count', undefined, { role: 'analyst' })).toBe(3)
  expect(await ask('twice', 2, { role: 'analyst' })).toBe('E_FORBIDDEN')
})
