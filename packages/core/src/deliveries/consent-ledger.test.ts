import { createTestCore, engines } from '@huitou/testing'
import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { addRecordingChannel } from '../../test/recording-channel.ts'
import { transact } from '../db/database.ts'
import type { SignedIn } from '../http/env.ts'
import { answerProblem } from '../http/problem.ts'
import { planDeliveries } from '../journeys/outbox.ts'
import { findProofs } from '../rights/proofs.ts'
import { createSegment } from '../segments/queries.ts'
import { consentRoutes } from './consent-routes.ts'
import { consentTextRoutes } from './consent-text-routes.ts'
import { writeContactPolicy } from './policy.ts'

const PHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Mobile/15E148 MicroMessenger/8.0.60'

async function openShop(engine: 'sqlite' | 'postgres') {
  const core = await createTestCore({ engine, now: '2026-11-20T10:00:00+08:00' })
  const sms = addRecordingChannel(core.points)
  await writeContactPolicy(core.database.db, {
    quietHours: null,
    caps: { perDay: null, perWeek: null, perChannelPerDay: {} },
    budgets: [],
    fatigue: null,
    consentNeeded: [sms.id],
  })
  const app = new Hono<SignedIn>()
    .use(async (c, next) => {
      c.set('user', { id: 'u1', name: 'U', email: 'u@example.com', role: 'owner', locale: 'en' } as never)
      await next()
    })
    .route('/texts', consentTextRoutes(core))
    .route('/customers', consentRoutes(core))
  app.onError((error, c) => answerProblem(c, error, core.log))
  const ask = async (path: string, body?: unknown, method = body === undefined ? 'GET' : 'POST') => {
    const answer = await app.request(path, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
    })
    const text = await answer.text()
    return { status: answer.status, body: (text === '' ? {} : JSON.parse(text)) as Record<string, any> }
  }
  const names = ['a', 'b', 'c']
  for (const [index, userId] of names.entries())
    await core.send({ type: 'identify', userId, traits: { phone: `1380000000${index}` } })
  await core.settle()
  const rows = await core.database.db.selectFrom('profiles').selectAll().orderBy('customer_id').execute()
  const idOf = (userId: string) => rows[names.indexOf(userId)]!.customer_id
  const say = async (userId: string, properties: Record<string, unknown>, context: object = {}) => {
    core.clock.advance(60_000)
    const event = properties['state'] === 'withdrawn' ? 'consent.withdrawn' : 'consent.granted'
    await core.send({ type: 'track', event, userId, properties, context })
    await core.settle()
  }
  /** What becomes of a marketing message now. */
  const sendTo = async (userId: string) => {
    const key = `${userId} ${core.clock.now()}`
    const message = { key, kind: 'message' as const, customerId: idOf(userId), channel: sms.id, account: '' }
    const planned = { ...message, content: { text: 'Hi' }, dueAt: core.clock.now() }
    await transact(core.database.db, (tx) => planDeliveries(tx, [planned], core.clock.now()))
    await core.settle()
    const row = await core.database.db
      .selectFrom('deliveries')
      .select(['state', 'reason'])
      .where('key', '=', key)
      .executeTakeFirstOrThrow()
    return row.reason ?? row.state
  }
  const runJobs = async () => {
    const stop = new AbortController()
    const running = core.jobs.run(stop.signal)
    for (const { id } of await core.jobs.list(20))
      expect(await core.jobs.finished(id)).toMatchObject({ state: 'done' })
    stop.abort()
    await running
    await core.settle()
  }
  return { core, sms, ask, idOf, say, sendTo, runJobs }
}

describe.each(engines)('the ledger of consents on %s', (engine) => {
  test('keeps what was shown, where and how it was said, and no address', async () => {
    const { core, sms, ask, idOf, say } = await openShop(engine)
    await using _ = core
    const variants = {
      en: 'Offers by SMS, at most four a month.',
      'zh-CN': '同意接收短信优惠，每月最多四条。',
    }
    const text = { id: 'sms-offers', title: 'SMS', channel: sms.id, variants }
    expect((await ask('/texts', text)).status).toBe(201)
    expect((await ask('/texts', text)).body['code']).toBe('E_CONSENT_TEXT_TAKEN')
    expect((await ask('/texts/sms-offers/versions', { variants })).body['code']).toBe('E_CONSENT_TEXT_DRAFT')
    await ask('/texts/sms-offers/versions/1', { variants: { en: 'Draft' } }, 'PUT')
    await ask('/texts/sms-offers/versions/1', { variants }, 'PUT')
    await ask('/texts/sms-offers/versions/1/publish', {})

    const said = { channel: sms.id, text: 'sms-offers', text_version: 1, locale: 'zh-CN' }
    await say('a', said, { ip: '203.0.113.7', userAgent: PHONE })
    await say('a', { channel: sms.id, state: 'withdrawn' }, { ip: '203.0.113.7', userAgent: 'curl/9' })
    core.clock.advance(60_000)
    await ask(`/customers/${idOf('a')}/consents`, {
      channel: sms.id,
      state: 'granted',
      reason: 'called from 13800000000',
      text: { id: 'sms-offers', version: 1 },
    })
    await core.settle()
    const { body } = await ask(`/customers/${idOf('a')}/consents`)
    expect(body['consents']).toMatchObject([
      { state: 'granted', textId: 'sms-offers', textVersion: 1, endsAt: null },
    ])
    expect(body['evidence']).toMatchObject([
      { origin: 'person', state: 'granted', reason: 'called from 13800000000', by: 'u1', addressHash: null },
      { origin: 'api', state: 'withdrawn', agent: 'program', textId: null },
      { origin: 'form', agent: 'wechat', locale: 'zh-CN', textBody: variants['zh-CN'], textTitle: 'SMS' },
    ])
    const [, second, first] = body['evidence'] as { addressHash: string }[]
    expect(first?.addressHash).toMatch(/^[\w-]{22}$/)
    expect(second?.addressHash).toBe(first?.addressHash)
    const kept = await core.database.db.selectFrom('events').select('body').execute()
    expect(JSON.stringify(kept)).not.toMatch(/203\.0\.113|iPhone/)

    for (const change of [
      ask('/texts/sms-offers/versions/1', { variants: { en: 'Something else' } }, 'PUT'),
      ask('/texts/sms-offers/versions/1', undefined, 'DELETE'),
    ])
      expect((await change).body['code']).toBe('E_CONSENT_TEXT_FIXED')
    expect((await ask('/texts')).body['texts']).toMatchObject([{ versions: [{ variants, granted: 1 }] }])
  })

  test('what was agreed to before is asked for again, and counts no more from the day chosen', async () => {
    const { core, sms, ask, idOf, say, sendTo, runJobs } = await openShop(engine)
    await using _ = core
    await say('a', { channel: sms.id })
    await say('b', { channel: sms.id })
    await say('b', { channel: '*', state: 'withdrawn' })
    await say('b', { channel: sms.id })
    const text = { id: 'sms-offers', title: 'SMS', channel: sms.id, variants: { en: 'One' } }
    await ask('/texts', text)
    const again = (version: number, from: string | null) =>
      ask(`/texts/sms-offers/versions/${version}/ask-again`, { from }, 'PUT')
    expect((await again(1, '2026-12-01')).body['code']).toBe('E_CONSENT_TEXT_DRAFT')
    core.clock.advance(60_000)
    await ask('/texts/sms-offers/versions/1/publish', {})
    await say('c', { channel: sms.id, text: 'sms-offers', text_version: 1 })
    expect((await again(1, '2026-11-19')).body['code']).toBe('E_CONSENT_PAST')
    expect((await again(1, '2026-12-01')).body['from']).toBe(Date.parse('2026-12-01T00:00:00+08:00'))
    const { id: segmentId } = await createSegment(core, {
      name: 'To ask',
      rule: { all: [{ column: 'consent_renew_text', op: 'is', value: 'sms-offers' }] },
    })
    await runJobs()
    const members = async () =>
      (
        await core.database.db
          .selectFrom('segment_members')
          .select('customer_id')
          .where('segment_id', '=', segmentId)
          .orderBy('customer_id')
          .execute()
      ).map(({ customer_id }) => customer_id)
    expect(await members()).toEqual([idOf('a'), idOf('b')])
    // Folding further events leaves the column alone.
    await core.send({ type: 'track', event: 'page.viewed', userId: 'a' })
    await core.settle()
    expect(await members()).toEqual([idOf('a'), idOf('b')])
    expect((await ask('/texts')).body['texts']).toMatchObject([{ toRenew: 2 }])
    expect(await sendTo('a')).toBe('sent')

    core.clock.advance(12 * 86_400_000)
    expect(await Promise.all([sendTo('a'), sendTo('b')])).toEqual(['consent_outdated', 'consent_outdated'])
    expect(await sendTo('c')).toBe('sent')
    await say('a', { channel: sms.id, text: 'sms-offers', text_version: 1 })
    expect(await members()).toEqual([idOf('b')])
    expect(await sendTo('a')).toBe('sent')
    // Whoever said no since is not asked.
    await say('b', { channel: '*', state: 'withdrawn' })
    expect(await members()).toEqual([])

    await again(1, null)
    await runJobs()
    expect(await sendTo('c')).toBe('sent')
  })

  test('after an erasure a keyed hash proves that there was a consent, and says of nobody', async () => {
    const { core, sms, idOf, say, runJobs } = await openShop(engine)
    await using _ = core
    await say('a', { channel: sms.id, reason: 'a box at the till' }, { ip: '203.0.113.7' })
    await core.erasures.request(idOf('a'), { reason: 'asked', by: 'u1' })
    await runJobs()
    const { db } = core.database
    expect(await db.selectFrom('consent_ledger').selectAll().execute()).toEqual([])
    const find = (value: string) => findProofs(db, core.erasures.suppression, { kind: 'phone', value })
    expect(await find('13800000001')).toEqual([])
    const [proof] = await find('13800000000')
    expect(proof?.consents).toEqual([
      {
        purpose: 'marketing',
        channel: sms.id,
        state: 'granted',
        day: Date.parse('2026-11-20T00:00:00Z'),
        origin: 'api',
        textId: null,
        textVersion: null,
      },
    ])
    await core.erasures.lift('phone', '13800000000')
    expect(await find('13800000000')).toHaveLength(1)
  })
})
