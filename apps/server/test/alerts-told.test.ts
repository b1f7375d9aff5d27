import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { json } from 'node:stream/consumers'
import { openMailServer } from '@huitou/simulators'
import { createTestCore, engines, type TestCore } from '@huitou/testing'
import { describe, expect, test } from 'vitest'
import { readConfig } from '../src/config.ts'
import { AlertSettings, writeAlertSettings } from '@huitou/core/watch/thresholds'
import { readTellings } from '@huitou/core/watch/notices'

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
  })
  await endAgain()
  const before = server.received.length
  core.clock.advance(5 * MINUTE)
  await look(core)
  expect((await read())[0]?.waiting).toBe(0)
  expect(server.received).toHaveLength(before)
  program.close()
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
