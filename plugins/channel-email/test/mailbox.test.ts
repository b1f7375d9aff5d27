import path from 'node:path'
import type { PollAnswer, SettingsVerdict } from '@huitou/plugin-api'
import {
  bounceMail,
  complaintMail,
  type ImapServer,
  type MailServer,
  openImapServer,
  openMailServer,
} from '@huitou/simulators'
import { openPluginAlone, type TestPlugin } from '@huitou/testing/open-plugin'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'

let plugin: TestPlugin
let mails: MailServer
let box: ImapServer
let settings: Record<string, unknown>
/** A mail that went out. */
let about: { messageId: string; to: string; from: string }

beforeAll(async () => {
  plugin = await openPluginAlone(path.dirname(import.meta.dirname))
  mails = await openMailServer()
}, 30_000)

afterAll(async () => {
  await plugin[Symbol.asyncDispose]()
  await mails[Symbol.asyncDispose]()
})

beforeEach(async () => {
  box = await openImapServer()
  settings = {
    host: mails.host,
    port: mails.port,
    security: 'none',
    from: 'shop@example.com',
    imapHost: box.host,
    imapPort: box.port,
    imapSecurity: 'none',
    imapUser: 'shop',
    imapPassword: 'sesame',
  }
  const [sent] = (await call('send', {
    settings,
    deliveries: [
      {
        key: '1.welcome.1',
        customerId: 1,
        address: 'wang@example.net',
        locale: 'zh-CN',
        content: { subject: '春茶到了', text: '您好', purpose: 'service' },
      },
    ],
  })) as { providerId: string }[]
  about = { messageId: sent!.providerId, to: 'wang@example.net', from: 'shop@example.com' }
})

afterEach(async () => {
  expect(box.mistakes).toEqual([])
  await box[Symbol.asyncDispose]()
})

const call = async (method: string, request: unknown) =>
  await plugin.call({ point: 'channels', id: 'mail', method, args: [request] })
const poll = async (cursor?: string, more: object = {}) =>
  (await call('poll', { settings: { ...settings, ...more }, pending: [], cursor })) as PollAnswer
const deliver = (mail: string) => box.deliver(mail, plugin.now - 60_000)
const hard = () => bounceMail(about, { status: '5.1.1' })
const answer = () =>
  `From: wang@example.net\r\nIn-Reply-To: ${about.messageId}\r\nSubject: Re\r\n\r\n多少钱？`
const seen = () => box.list().flatMap(({ uid, flags }) => (flags.includes('\\Seen') ? [uid] : []))

test('bounces and complaints are found, and put away once they are stored; all other mail is left alone', async () => {
  deliver('From: friend@example.net\r\nSubject: Lunch?\r\n\r\nAt twelve?')
  deliver(hard())
  deliver('\0\0 no mail at all')
  deliver(answer())
  deliver(complaintMail(about))
  deliver(hard().replaceAll(about.messageId, '<ht.made.up@example.com>'))
  const first = await poll()
  expect(first.receipts.map(({ kind, key, code }) => [kind, key, code])).toEqual([
    ['bounced', '1.welcome.1', '5.1.1'],
    ['replied', '1.welcome.1', undefined],
    ['complained', '1.welcome.1', 'abuse'],
  ])
  expect(first.receipts[0]?.permanent).toBe(true)
  expect(seen()).toEqual([])
  // The answer got lost: the same again, at the same moments, and still nothing is changed.
  expect(await poll()).toEqual(first)
  expect(seen()).toEqual([])
  const second = await poll(first.cursor)
  expect(second.receipts).toEqual([])
  // What a person wrote is for people to read.
  expect(seen()).toEqual([2, 5])
  deliver(hard())
  const third = await poll(second.cursor, { imapDoneFolder: 'Huitou' })
  expect(third.receipts).toMatchObject([{ kind: 'bounced' }])
  await poll(third.cursor, { imapDoneFolder: 'Huitou' })
  expect(box.list('Huitou')).toMatchObject([{ flags: ['\\Seen'], raw: hard() }])
  expect(box.list().map(({ uid }) => uid)).toEqual([1, 2, 3, 4, 5, 6])
})

test('a connection that breaks half-way keeps what was read, and the next call goes on behind it', async () => {
  for (let count = 0; count < 4; count++) deliver(hard())
  box.faults.next(undefined, undefined, undefined, 'lost')
  const first = await poll()
  expect(first.receipts).toHaveLength(2)
  box.faults.next(undefined, { slow: 300 })
  const second = await poll(first.cursor)
  expect(second.receipts).toHaveLength(2)
  expect(box.fetched).toEqual([1, 2, 3, 4])
  box.faults.next('busy')
  await expect(poll(second.cursor)).rejects.toThrow('try again later')
  deliver(hard())
  box.faults.next(undefined, 'hang-up')
  await expect(poll(second.cursor)).rejects.toThrow()
  expect((await poll(second.cursor)).receipts).toHaveLength(1)
})

test('many mails are read call by call, and all once more when they have other numbers', async () => {
  for (let count = 0; count < 60; count++)
    deliver(count % 20 === 0 ? hard() : `From: a@b.example\r\n\r\n${count}`)
  const first = await poll()
  expect([first.receipts.length, first.more]).toEqual([3, true])
  const second = await poll(first.cursor)
  expect([second.receipts.length, second.more]).toEqual([0, false])
  expect(new Set(box.fetched).size).toBe(60)
  box.renumber()
  const again = await poll(second.cursor)
  expect([again.receipts.length, again.more]).toEqual([3, true])
  // Nobody’s place is no place.
  expect((await poll('nonsense')).receipts).toHaveLength(3)
})

test('a mailbox is tried when it is saved', async () => {
  const verify = async (more: object) =>
    (await call('verifySettings', { ...settings, ...more })) as SettingsVerdict
  expect(await verify({})).toEqual({ ok: true })
  expect(await verify({ imapPassword: 'wrong' })).toMatchObject({ ok: false, field: 'imapPassword' })
  expect(await verify({ imapFolder: 'Nowhere' })).toMatchObject({ ok: false, field: 'imapFolder' })
  expect(await verify({ imapDoneFolder: 'INBOX' })).toMatchObject({ ok: false, field: 'imapDoneFolder' })
  // It speaks TLS: a server that does not is not talked to in clear.
  expect(await verify({ imapSecurity: 'tls' })).toMatchObject({ ok: false, field: 'imapHost' })
  expect(await verify({ imapHost: '' })).toEqual({ ok: true })
  expect(await poll(undefined, { imapHost: '' })).toEqual({ receipts: [] })
})
