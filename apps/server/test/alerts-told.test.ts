import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { json } from 'node:stream/consumers'
import { openGroupRobot, openMailServer, openWebhookReceiver } from '@huitou/simulators'
import { createTestCore, engines, type TestCore } from '@huitou/testing'
import { describe, expect, test } from 'vitest'
import { readConfig } from '../src/config.ts'
import { AlertSettings, writeAlertSettings } from '@huitou/core/watch/thresholds'
import { readTellings } from '@huitou/core/watch/notices'
import { toChat } from '@huitou/core/watch/words'
import { startTestServer } from './test-server.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const box = {
  seal: (text: string) => `sealed ${Buffer.from(text).toString('hex')}`,
  open: (text: string) => Buffer.from(text.slice(7), 'hex').toString(),
}

async function setUp(core: TestCore, port: number, settings: object): Promise<void> {
  await core.mail.write({
    host: '127.0.0.1',
    port,
    security: 'none',
    user: 'shop',
    password: 'sesame',
    from: 'huitou@example.com',
    fromName: 'Huitou',
  })
  await writeAlertSettings(
    core.database.db,
    AlertSettings.parse({ thresholds: {}, muted: ['disk_full'], ...settings }),
  )
}

/** Sign-ins fail, which is a warning; an account is paused, which is urgent. */
async function trouble(core: TestCore, what: 'warning' | 'critical'): Promise<() => Promise<unknown>> {
  const { db } = core.database
  const now = core.clock.now()
  if (what === 'warning') {
    const row = { key: 'account:x', failures: 60, since: now, blocked_until: now }
    await db.insertInto('sign_in_attempts').values(row).execute()
    return () => db.deleteFrom('sign_in_attempts').execute()
  }
  await db
    .insertInto('channel_accounts')
    .values({
      id: 'a',
      channel: 'huitou.channel-sms/message',
      name: 'Main',
      settings: '{}',
      active: 1,
      failures: 5,
      open_until: now + 100 * HOUR,
      created_at: now,
      updated_at: now,
    })
    .execute()
  return () => db.deleteFrom('channel_accounts').execute()
}

const look = async ({ watch, clock }: TestCore) => {
  clock.advance(1_000)
  await watch.look()
  await watch.tell()
}

describe.each(engines)('on %s', (engine) => {
  test('each is told of what they asked for, in their language, bundled and not too often, and that it is over', async () => {
    await using server = await openMailServer({ user: 'shop', password: 'sesame' })
    await using core = await createTestCore({ engine, deliveries: { box } })
    const all = { address: 'lan@example.com', severity: 'warning', locale: 'en' }
    const urgent = { address: 'mei@example.com', severity: 'critical', locale: 'zh-CN' }
    await setUp(core, server.port, { recipients: [all, urgent], perHour: 2 })
    const stored = await core.database.db.selectFrom('settings').selectAll().execute()
    expect(JSON.stringify(stored)).not.toContain('sesame')

    const endFirst = await trouble(core, 'warning')
    await look(core)
    expect(server.received).toMatchObject([{ to: 'lan@example.com' }])
    expect(server.received[0]?.subject).toBe('[Huitou] ⚠ 60 sign-ins failed within a quarter of an hour')
    expect(server.received[0]?.text).toContain('Have everybody use a second factor')
    expect(server.received[0]?.headers.get('auto-submitted')).toBe('auto-generated')

    const endSecond = await trouble(core, 'critical')
    await endFirst()
    await look(core)
    const [, second, third] = server.received
    expect([second?.to, third?.to].toSorted()).toEqual(['lan@example.com', 'mei@example.com'])
    expect(second?.subject).toBe('[Huitou] ⚠ 1 alert · ✓ 1 over')
    expect(third?.subject).toMatch(/^\[Huitou\] ⚠ .*Main/)
    expect(third?.text).toContain('[紧急]')

    // Two messages within the hour are enough for one of them; the other hears at once.
    await endSecond()
    await look(core)
    expect(server.received.slice(3)).toMatchObject([{ to: 'mei@example.com' }])
    expect(server.received[3]?.subject).toContain('已恢复')
    core.clock.advance(HOUR + MINUTE)
    await core.watch.tell()
    expect(server.received.slice(4)).toMatchObject([{ to: 'lan@example.com' }])
    await core.watch.tell()
    expect(server.received).toHaveLength(5)
  })
})

test('what cannot be told is shown, told on the other way, tried again, and dropped once it is over', async () => {
  await using server = await openMailServer({ user: 'shop', password: 'another' })
  await using core = await createTestCore({ deliveries: { box } })
  const told: { kind?: string; text: string }[] = []
  const program = createServer((request, answer) => {
    void json(request).then((body) => told.push(body as (typeof told)[number]))
    answer.end()
  }).listen(0, '127.0.0.1')
  await once(program, 'listening')
  const webhook = `http://127.0.0.1:${(program.address() as AddressInfo).port}/`
  const recipients = [{ address: 'lan@example.com', severity: 'warning', locale: 'en' }]
  await setUp(core, server.port, { recipients, webhook, webhookSeverity: 'warning' })

  const end = await trouble(core, 'critical')
  await look(core)
  const read = () => readTellings(core.database.db, ['mail:lan@example.com', 'webhook'], core.clock.now())
  expect(await read()).toMatchObject([
    { waiting: 1, sentAt: null, error: expect.stringContaining('E_MAIL_SIGN_IN') as string },
    { waiting: 0, error: null },
  ])
  core.clock.advance(MINUTE / 2)
  await look(core)
  expect(told.map(({ kind }) => kind)).toEqual(['channel_open', 'telling_failed'])

  // It works again after a minute.
  await core.mail.write({
    host: '127.0.0.1',
    port: server.port,
    security: 'none',
    user: 'shop',
    password: 'another',
    from: 'huitou@example.com',
    fromName: '',
  })
  core.clock.advance(MINUTE)
  await look(core)
  expect(server.received).toHaveLength(1)
  await look(core)
  expect(told.at(-1)).toMatchObject({ kind: 'telling_failed', state: 'resolved' })
  expect(await read()).toMatchObject([{ waiting: 0, error: null }, {}])

  // Over before anybody could be told: nothing is told at all.
  await end()
  await look(core)
  server.refusals.set('lan@example.com', '550 5.1.1 user unknown')
  const endAgain = await trouble(core, 'warning')
  await look(core)
  expect((await read())[0]).toMatchObject({
    waiting: 1,
    error: expect.stringContaining('E_MAIL_REFUSED') as string,
    problem: { code: 'E_MAIL_REFUSED', details: { message: '550 5.1.1 user unknown' } },
  })
  await endAgain()
  const before = server.received.length
  core.clock.advance(5 * MINUTE)
  await look(core)
  expect((await read())[0]?.waiting).toBe(0)
  expect(server.received).toHaveLength(before)
  program.close()
})

const secret = 'SEC9f2d1c7b5a'
const put = (body: object) => ({ method: 'PUT', body: JSON.stringify(body) })

test.each(['wecom', 'dingtalk', 'feishu'] as const)('a group at %s is told by its robot', async (kind) => {
  await using robot = await openGroupRobot(kind === 'wecom' ? { kind } : { kind, secret, keyword: 'Huitou' })
  await using core = await createTestCore({ deliveries: { box } })
  const { db } = core.database
  await setUp(core, 25, { webhook: robot.address, webhookKind: kind, webhookLocale: 'zh-CN' })
  await core.webhookSecrets.write(robot.address, kind === 'wecom' ? '' : 'SEC-of-another')
  const read = async () => (await readTellings(db, ['webhook'], core.clock.now()))[0]

  const end = await trouble(core, 'warning')
  await look(core)
  if (kind !== 'wecom') {
    // Status 200, and a code of its own inside: it was not told.
    expect(robot.said).toEqual([])
    expect(await read()).toMatchObject({
      waiting: 1,
      sentAt: null,
      error: expect.stringMatching(
        /^E_ALERT_SIGNATURE: .*(310000 sign not match|19021 sign match)/,
      ) as string,
    })
    await core.webhookSecrets.write(robot.address, secret)
    core.clock.advance(2 * MINUTE)
    await look(core)
  }
  expect(robot.said[0]).toMatch(/^\[Huitou\]\n\n⚠ 一刻钟内有 60 次登录失败\n开始于 /)
  await end()
  await look(core)
  expect(robot.said[1]).toContain('✓ 一刻钟内有 60 次登录失败\n恢复于 ')
  expect(await read()).toMatchObject({ waiting: 0, error: null })
  const stored = await db.selectFrom('settings').selectAll().execute()
  expect(JSON.stringify(stored)).not.toContain(secret)
})

test('the settings keep a secret for its address, hide it, and a test says what the other side answered', async () => {
  await using robot = await openGroupRobot({ kind: 'feishu', secret, keyword: 'tea' })
  await using receiver = await openWebhookReceiver({ secret })
  await using server = await startTestServer()
  const owner = await server.as()
  const operator = await server.as({ role: 'operator' })
  type Answer = Record<string, unknown> & { detail?: string }
  const call = async (path: string, method = 'GET', body?: object) => {
    const init = { method, ...(body ? { body: JSON.stringify(body) } : {}) }
    return (await (await owner(`/api/alerts/settings${path}`, init)).json()) as Answer
  }
  const where = { webhook: robot.address, webhookLocale: 'en' }
  const test = (change: object) => call('/test', 'POST', { ...where, webhookKind: 'feishu', ...change })

  expect(await test({})).toMatchObject({ code: 'E_ALERT_REFUSED', details: { message: '9499 Bad Request' } })
  expect(await test({ webhookSecret: secret })).toMatchObject({ code: 'E_ALERT_KEYWORD' })
  expect(await test({ webhookKind: 'dingtalk' })).toMatchObject({ code: 'E_ALERT_REFUSED' })
  const gone = await test({ webhook: `${robot.address}0123` })
  expect(gone).toMatchObject({ code: 'E_ALERT_GONE', detail: expect.stringContaining('19001') as string })
  expect((await owner('/api/settings', put({ brandName: 'tea' }))).status).toBe(200)
  expect(await test({ webhookSecret: secret })).toEqual({ sent: true })
  expect(robot.said[0]).toMatch(/^\[Huitou tea\] This is a test/)

  const thresholds = {}
  expect(await call('', 'PUT', { ...where, thresholds, webhookSecret: secret })).toMatchObject({
    webhook: robot.address,
    webhookKind: 'json',
    hasWebhookSecret: true,
  })
  expect(await test({})).toEqual({ sent: true })
  const seen = await (await operator('/api/alerts/settings')).text()
  expect(JSON.parse(seen)).toMatchObject({ webhook: `${robot.url}/…`, hasWebhookSecret: true })
  expect((await operator('/api/alerts/settings/test', { method: 'POST', body: '{}' })).status).toBe(403)
  expect(seen + JSON.stringify(await call(''))).not.toContain(secret)

  // What was entered for one address is not sent to another.
  const program = { webhook: `${receiver.url}/alerts`, webhookKind: 'json' }
  expect(await test(program)).toMatchObject({
    code: 'E_ALERT_REFUSED',
    details: { message: expect.stringMatching(/^HTTP 401/) as string },
  })
  expect(await call('', 'PUT', { ...program, thresholds })).toMatchObject({ hasWebhookSecret: false })
  await call('', 'PUT', { ...program, thresholds, webhookSecret: secret })
  expect(await test(program)).toEqual({ sent: true })
  expect([...receiver.taken.values()]).toEqual([
    { test: true, alerts: [], text: expect.stringContaining('[Huitou tea]') as string },
  ])
  expect(await test({ ...program, webhook: 'http://127.0.0.1:1/' })).toMatchObject({
    code: 'E_ALERT_UNREACHABLE',
  })
  const host = { thresholds, webhook: 'https://oapi.dingtalk.com/robot/send?access_token=1' }
  expect(await call('', 'PUT', host)).toMatchObject({ webhookKind: 'dingtalk' })
})

test('a swarm of alerts fits into what a robot takes', () => {
  const alert = {
    id: 1,
    kind: 'channel_open',
    subject: '',
    severity: 'critical' as const,
    title: { en: 'The account is paused', 'zh-CN': '短信账号「会员日」已暂停发送' },
    advice: { en: 'Look', 'zh-CN': '请在消息页查看失败原因，处理后恢复账号。'.repeat(3) },
    to: null,
    raisedAt: 0,
    seenAt: 0,
    resolvedAt: null,
    acknowledgedAt: null,
    acknowledgedBy: null,
    note: null,
  }
  const swarm = (count: number) => Array.from({ length: count }, () => ({ alert, state: 'raised' as const }))
  const voice = {
    locale: 'zh-CN' as const,
    brandName: '茶',
    publicUrl: 'https://crm.example.com',
    timeZone: 'UTC',
  }
  const lines = (count: number) => toChat(swarm(count), voice, 2_048).split('\n')
  expect(lines(2).filter((line) => line.startsWith('请在'))).toHaveLength(2)
  expect(lines(20).filter((line) => line.startsWith('⚠'))).toHaveLength(20)
  const many = lines(100)
  expect(many.at(-2)).toBe(`…… 另有 ${100 - many.filter((line) => line.startsWith('⚠')).length} 条`)
  expect(Buffer.byteLength(many.join('\n'))).toBeLessThanOrEqual(2_048)
  expect(Buffer.byteLength(many.join('\n'))).toBeGreaterThan(1_900)
  const long = { ...alert, title: { en: '', 'zh-CN': '长'.repeat(5_000) } }
  expect(Buffer.byteLength(toChat([{ alert: long, state: 'raised' }], voice, 2_048))).toBeLessThanOrEqual(
    2_048,
  )
})

test('a password does not follow to another server, and what the environment says cannot be changed', async () => {
  await using core = await createTestCore({ deliveries: { box } })
  await setUp(core, 25, {})
  const { hasPassword, isGiven, ...server } = (await core.mail.view())!
  expect([hasPassword, isGiven]).toEqual([true, false])
  expect(server).not.toHaveProperty('password')
  await core.mail.write({ ...server, port: 26 })
  expect((await core.mail.find())?.password).toBe('sesame')
  await core.mail.write({ ...server, host: 'elsewhere.example' })
  expect((await core.mail.find())?.password).toBe('')
})

test('the environment may name the mail server, whole or not at all', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'huitou-mail-'))
  const read = (url: string, from: string) =>
    readConfig(folder, { HUITOU_MAIL_URL: url, HUITOU_MAIL_FROM: from }).mailServer
  expect(read('smtps://shop%40tea.example:p%3Aw@mail.example.com', 'Tea House <huitou@tea.example>')).toEqual(
    {
      host: 'mail.example.com',
      port: 465,
      security: 'tls',
      user: 'shop@tea.example',
      password: 'p:w',
      from: 'huitou@tea.example',
      fromName: 'Tea House',
    },
  )
  expect(read('smtp://mail.example.com', 'a@b.example')).toMatchObject({ port: 587, security: 'starttls' })
  expect(read('smtp://127.0.0.1:2525', 'a@b.example')).toMatchObject({ port: 2525, security: 'none' })
  expect(read('', '')).toBeUndefined()
  expect(() => read('smtp://mail.example.com', '')).toThrow(expect.objectContaining({ code: 'E_CONFIG' }))
  rmSync(folder, { recursive: true })
})
