import { createTestCore } from '@huitou/testing'
import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { addRecordingChannel } from '../../test/recording-channel.ts'
import type { SignedIn } from '../http/env.ts'
import { answerProblem } from '../http/problem.ts'
import { journeyRoutes } from '../journeys/routes.ts'
import { channelRoutes } from './channel-routes.ts'
import { contactPolicyRoutes } from './policy-routes.ts'
import { deliveryRoutes } from './routes.ts'

test('over HTTP: an account, a journey, its figures, the log of deliveries, a dead letter tried again', async () => {
  await using core = await createTestCore({ now: '2026-11-21T10:00:00+08:00' })
  const sms = addRecordingChannel(core.points, {
    settings: {
      type: 'object',
      required: ['token'],
      properties: { token: { type: 'string', secret: true } },
    },
  })
  const app = new Hono<SignedIn>()
    .use(async (c, next) => {
      c.set('user', { id: 'u1', name: 'U', email: 'u@example.com', role: 'owner', locale: 'en' } as never)
      await next()
    })
    .route('/journeys', journeyRoutes(core))
    .route('/deliveries', deliveryRoutes(core))
    .route('/channels', channelRoutes(core))
    .route('/contact-policy', contactPolicyRoutes(core))
  app.onError((error, c) => answerProblem(c, error, core.log))
  const ask = async (method: string, path: string, body?: unknown) => {
    const answer = await app.request(path, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
    })
    return { status: answer.status, body: (await answer.json()) as Record<string, any> }
  }
  const definition = {
    trigger: { type: 'event', event: 'visit' },
    holdout: { percent: 0 },
    start: 'hi',
    nodes: { hi: { type: 'send', channel: sms.id, content: { text: 'Hi' }, next: 'nowhere' } },
  }

  const wrong = await ask('POST', '/channels/accounts', { channel: sms.id, name: 'A', settings: {} })
  expect([wrong.status, wrong.body['code']]).toEqual([400, 'E_CHANNEL_SETTINGS'])
  const made = await ask('POST', '/channels/accounts', {
    channel: sms.id,
    name: 'A',
    settings: { token: 's3cret' },
  })
  expect(made.status).toBe(201)
  expect(JSON.stringify([made.body, (await ask('GET', '/channels')).body])).not.toContain('s3cret')

  const created = await ask('POST', '/journeys', { name: 'Hi', definition })
  expect([created.status, created.body['state']]).toEqual([201, 'draft'])
  const id = String(created.body['id'])
  const refused = await ask('POST', `/journeys/${id}/publish`)
  expect(refused.body).toMatchObject({
    code: 'E_JOURNEY',
    details: { mistakes: [{ code: 'unknown_node', path: 'nodes.hi' }] },
  })
  expect((await ask('POST', `/journeys/${id}/pause`)).body['code']).toBe('E_JOURNEY_DRAFT')
  delete (definition.nodes.hi as { next?: string }).next
  await ask('PUT', `/journeys/${id}`, { definition })
  expect((await ask('POST', `/journeys/${id}/publish`)).body).toMatchObject({
    state: 'live',
    publishedVersion: 1,
  })

  const policy = (await ask('GET', '/contact-policy')).body
  const choice = (column: string) => ({
    rules: [{ name: '', rule: { all: [{ column, op: 'is_set' }] }, channels: [sms.id] }],
    best: null,
  })
  const unknown = await ask('PUT', '/contact-policy', { ...policy, choice: choice('nowhere') })
  expect([unknown.status, unknown.body['code']]).toEqual([400, 'E_RULE_COLUMN'])
  const chosen = await ask('PUT', '/contact-policy', { ...policy, choice: choice('last_seen_at') })
  expect(chosen.body['choice']).toEqual(choice('last_seen_at'))
  expect(
    (await ask('PUT', '/contact-policy', { ...policy, quietHours: { from: '25:00', to: '09:00' } })).status,
  ).toBe(400)
  expect((await ask('PUT', '/contact-policy', { ...policy, quietHours: null })).body['quietHours']).toBeNull()

  sms.answer = ({ key }) => ({ key, outcome: 'failed', code: 'BUSY', message: 'Busy' })
  await core.send({
    type: 'track',
    event: 'visit',
    userId: 'a',
    context: { traits: { phone: '+8613800000001' } },
  })
  await core.settle()
  for (let hour = 0; hour < 12; hour++) {
    core.clock.advance(3_600_000)
    await core.settle()
  }
  const dead = await ask('GET', '/deliveries?state=dead')
  expect(dead.body['deliveries']).toMatchObject([
    { reason: 'attempts', journeyId: id, details: { code: 'BUSY' } },
  ])
  sms.answer = undefined
  expect((await ask('POST', '/deliveries/replay', {})).body).toEqual({ replayed: 1 })
  await core.settle()
  const [delivery] = (await ask('GET', '/deliveries')).body['deliveries'] as { id: number; state: string }[]
  expect(delivery?.state).toBe('sent')
  const { history } = (await ask('GET', `/deliveries/${delivery?.id}`)).body
  expect(history.map(({ kind }: { kind: string }) => kind).slice(-3)).toEqual(['dead', 'replayed', 'sent'])
  expect((await ask('POST', `/deliveries/${delivery?.id}/settle`, { outcome: 'absent' })).status).toBe(409)
  expect((await ask('GET', `/journeys/${id}/stats`)).body['nodes']).toMatchObject([
    { node: '$entry', outcomes: { treated: 1 } },
    { node: 'hi', outcomes: { planned: 1 }, waiting: 0 },
  ])
  expect((await ask('GET', '/contact-policy/rates')).body['channels']).toMatchObject([
    { channel: sms.id, sent: 1 },
  ])

  const account = `/channels/accounts/${made.body['id']}`
  await core.database.db.updateTable('deliveries').set({ state: 'pending' }).execute()
  expect((await ask('DELETE', account)).body).toMatchObject({
    code: 'E_ACCOUNT_IN_USE',
    details: { waiting: 1 },
  })
  await core.database.db.updateTable('deliveries').set({ state: 'sent' }).execute()
  const naming = JSON.stringify({ send: { channel: sms.id, account: made.body['id'] } })
  const [version] = await core.database.db.selectFrom('journey_versions').select('definition').execute()
  await core.database.db.updateTable('journey_versions').set({ definition: naming }).execute()
  expect((await ask('DELETE', account)).body['code']).toBe('E_ACCOUNT_NAMED')
  await core.database.db.updateTable('journey_versions').set(version!).execute()
  expect((await ask('DELETE', account)).body).toEqual({ name: 'A' })
  expect((await ask('DELETE', account)).status).toBe(404)
})
