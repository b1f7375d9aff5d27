import { bounceDialects, bounceMail, complaintMail } from '@huitou/simulators'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readInbound } from './inbound.ts'
import { bounceAddressOf, findBounceAddress, findMessageId, messageIdOf } from './mail-tag.ts'

const now = Date.UTC(2026, 2, 1, 4)
const secret = 'a-token-that-nobody-guesses'
const key = '1203.welcome.1'
const from = 'shop@example.com'
const messageId = messageIdOf(key, from, secret)
const own = bounceAddressOf(key, 'bounces@example.com', secret)!
const about = { messageId, to: 'wang@example.net', from }
const read = (mail: string) => readInbound(new TextEncoder().encode(mail), { now, secrets: [secret] })

describe('bounces in the words of', () => {
  test.each([
    ['postfix', '5.1.1', 'hard: 550 5.1.1 <wang@example.net>: Recipient address rejected: User unknown'],
    ['exim', '5.7.26', 'hard: 550-5.7.26'],
    ['exchange', '5.1.10', 'hard: 550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found'],
    ['gmail', '4.2.2', 'soft: 452-4.2.2'],
    ['qmail', '5.1.1', 'hard: Remote host said: 550 5.1.1 unknown'],
    ['netease', '5.1.1', 'hard: '],
  ] as const)('%s', async (dialect, code, message) => {
    const [receipt, ...more] = (await read(bounceDialects[dialect](about))) ?? []
    expect(receipt).toMatchObject({ providerId: messageId, key, kind: 'bounced', code })
    expect(receipt?.message?.startsWith(message)).toBe(true)
    expect(receipt?.at).toBeLessThanOrEqual(now)
    expect(more).toEqual([])
    // A server on the way gave the mail another id; the address it bounced to is left.
    const changed = { ...about, messageId: '<other@relay.example>', from: own }
    expect(await read(bounceDialects[dialect](changed))).toMatchObject([{ key, kind: 'bounced', code }])
  })
})

test('delays, relays and feedback that is no complaint tell nothing', async () => {
  const delay = bounceDialects
    .qmail(about)
    .replace('failure notice', 'Warning: message delayed 24 hours')
    .replace('given up', 'not given up')
  expect(await read(delay)).toEqual([])
  expect(await read(bounceMail(about, { status: '4.4.1', action: 'delayed' }))).toEqual([])
  expect(await read(bounceMail(about, { status: '2.0.0', action: 'relayed' }))).toEqual([])
  for (const type of ['not-spam', 'auth-failure', 'virus', 'x-made-up'])
    expect(await read(complaintMail(about, type))).toEqual([])
})

test('a complaint whose message was struck out is known by the address it came from', async () => {
  const redacted = complaintMail({ ...about, messageId: '<redacted>', to: 'redacted@example.net' }).replace(
    '\r\nVersion: 1',
    `\r\nVersion: 1\r\nOriginal-Mail-From: <${own.toUpperCase()}>`,
  )
  expect(await read(redacted)).toMatchObject([{ key, kind: 'complained', code: 'abuse' }])
  expect(await read(complaintMail(about, 'opt-out'))).toMatchObject([{ key, kind: 'unsubscribed' }])
})

test('nobody reports on a mail that he never saw', async () => {
  const forged = [
    messageIdOf(key, from),
    messageIdOf(key, from, 'another secret'),
    messageId.replace(
      Buffer.from(key).toString('base64url'),
      Buffer.from('1204.welcome.1').toString('base64url'),
    ),
  ]
  for (const id of forged)
    for (const write of [...Object.values(bounceDialects), complaintMail])
      expect(await read(write({ ...about, messageId: id }))).toEqual([])
  const other = own.replace(/\+ht-./, '+ht-z')
  expect(await read(bounceDialects.gmail({ ...about, messageId: '<x@y.example>', from: other }))).toEqual([])
})

test('what bounced is the mail that was given back, not one that it mentions', async () => {
  const answer = bounceDialects
    .postfix({ ...about, messageId: '<answer-of-a-person@example.com>' })
    .replace('Subject: spring', `In-Reply-To: <x@y>\r\nReferences: ${messageId}\r\nSubject: spring`)
  expect(await read(answer)).toEqual([])
  const quoted = bounceDialects
    .exim({ ...about, messageId: '<answer-of-a-person@example.com>' })
    .replace('\r\ntext\r\n', `\r\nMessage-ID: ${messageId}\r\n`)
  expect(await read(quoted)).toEqual([])
})

test.each([
  ['an automatic answer', 'Auto-Submitted: auto-replied'],
  ['a list', 'Precedence: bulk'],
  ['an empty sender', 'Return-Path: <>'],
  [
    'a receipt for reading',
    'Content-Type: multipart/report; report-type=disposition-notification; boundary=b',
  ],
])('%s is no answer of a person', async (_what, line) => {
  const reply = (more: string) =>
    `From: wang@example.net\r\nIn-Reply-To: ${messageId}\r\nSubject: Re\r\n${more}\r\n\r\n好的`
  expect(await read(reply('X-Mailer: phone'))).toMatchObject([{ key, kind: 'replied', detail: '好的' }])
  expect(await read(reply(line))).toEqual([])
})

test('a mail that is given back whole, and large, is read as far as needed', async () => {
  const large = bounceDialects
    .exchange(about)
    .replace('\r\ntext\r\n', `\r\n${'picture '.repeat(200_000)}\r\n`)
  expect(await read(large)).toMatchObject([{ key, kind: 'bounced', code: '5.1.10' }])
})

test('what is no mail is refused, and times that cannot be are now', async () => {
  expect(await read('')).toBeUndefined()
  expect(await read('{"type":"bounce"}')).toBeUndefined()
  for (const date of ['Thu, 01 Jan 1970 00:00:00 +0000', 'Sun, 01 Mar 2099 00:00:00 +0000', 'yesterday']) {
    const mail = bounceDialects.postfix(about).replace(/Date: Sun, 01.*/, `Date: ${date}`)
    expect((await read(mail))?.[0]?.at).toBe(now)
  }
})

test('mails made to hurt cost little', async () => {
  const deep = Array.from(
    { length: 300 },
    (_, n) => `Content-Type: multipart/mixed; boundary="b${n}"\r\n\r\n--b${n}\r\n`,
  )
  const hostile = [
    `From: a@b.example\r\n${deep.join('')}`,
    `From: postmaster@b.example\r\n\r\n${'<'.repeat(500_000)}`,
    `From: a@b.example\r\nIn-Reply-To: ${'<ht.a'.repeat(100_000)}\r\n\r\n`,
    `From: a@b.example\r\nTo: ${'+ht-1-'.repeat(100_000)}\r\n\r\n`,
    bounceDialects.postfix(about).replace('Status: 5.1.1', `Status: ${'5.'.repeat(200_000)}`),
    bounceDialects.postfix(about).replace('Action: failed', `${'\r\n \t'.repeat(100_000)}\r\nAction: failed`),
  ]
  const began = performance.now()
  for (const mail of hostile) await read(mail)
  expect(performance.now() - began).toBeLessThan(20_000)
})

test('law: a delivery is found again by both of its names, in capitals or not, and by no other secret', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }), (some) => {
      const id = messageIdOf(some, from, secret)
      expect(findMessageId(`<x@y> ${id}`, secret)).toEqual({ messageId: id, key: some })
      expect(findMessageId(id, 'other')).toBeUndefined()
      const address = bounceAddressOf(some, 'b@example.com', secret)
      if (address === undefined) return
      expect(address.indexOf('@')).toBeLessThanOrEqual(64)
      expect(findBounceAddress(address.toUpperCase(), secret)?.key).toBe(some)
      expect(findBounceAddress(address, 'other')).toBeUndefined()
    }),
  )
})
