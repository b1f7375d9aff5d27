import { generateKeyPairSync } from 'node:crypto'
import { bounceDialects, bounceMail, complaintMail, openMailServer } from '@huitou/simulators'
import type { MailServer } from '@huitou/simulators'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createChannel } from './channel.ts'

const now = Date.UTC(2026, 2, 1, 4)
const context = { now, signal: new AbortController().signal }
const token = 'a-token-that-nobody-guesses'
const storage = {
  get: async () => undefined,
  set: async () => {},
  delete: async () => {},
  list: async () => [],
}
const channel = createChannel({ settings: { inboundToken: token }, storage })

let server: MailServer
let settings: Record<string, unknown>

beforeEach(async () => {
  server = await openMailServer({ user: 'shop', password: 'sesame', senders: ['shop@example.com'] })
  settings = {
    host: server.host,
    port: server.port,
    security: 'none',
    user: 'shop',
    password: 'sesame',
    from: 'shop@example.com',
    fromName: '回头客',
  }
})
afterEach(() => server[Symbol.asyncDispose]())

const content = {
  subject: '春茶到了',
  text: '您好',
  html: '<p>您好</p>',
  unsubscribe_url: 'https://u.example.com/t',
}
const delivery = (key: string, address = `${key}@example.net`, more: object = {}) => ({
  key,
  customerId: 1,
  address,
  locale: 'zh-CN',
  content: { ...content, ...more },
})
const send = (deliveries: ReturnType<typeof delivery>[], more: object = {}) =>
  channel.send({ settings: { ...settings, ...more }, deliveries }, context)
const receive = async (mail: string, path = `inbound/${token}`) =>
  await channel.handleWebhook!(
    {
      path,
      method: 'POST',
      headers: {},
      body: new TextEncoder().encode(mail),
      settings: { inboundToken: token },
    },
    context,
  )

test('a mail arrives with both parts, its id and the one-click unsubscribe', async () => {
  const [result] = await send([delivery('1.welcome.1', 'wang@example.net')], { subjectMark: '广告' })
  const [mail] = server.received
  expect(mail).toMatchObject({ from: 'shop@example.com', to: 'wang@example.net', subject: '广告 春茶到了' })
  expect(mail?.text.trim()).toBe('您好')
  expect(mail?.html).toContain('<p>您好</p>')
  expect(result).toEqual({ key: '1.welcome.1', outcome: 'sent', providerId: mail?.messageId })
  expect(mail?.headers.get('list-unsubscribe')).toBe('<https://u.example.com/t>')
  expect(mail?.headers.get('list-unsubscribe-post')).toBe('List-Unsubscribe=One-Click')
})

test('files travel with the mail', async () => {
  const file = { filename: '券.png', type: 'image/png', content: Buffer.from('picture').toString('base64') }
  await send([delivery('a', 'a@example.net', { attachments: [file, 'not-a-file'] })])
  const raw = new TextDecoder().decode(server.received[0]?.raw)
  expect(raw).toContain('Content-Type: image/png')
  expect(raw).toContain(file.content)
})

test('DKIM covers both headers of the one-click unsubscribe', async () => {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 1024,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  await send([delivery('a')], { dkimDomain: 'example.com', dkimSelector: 's1', dkimPrivateKey: privateKey })
  const signature = server.received[0]?.headers.get('dkim-signature')?.toLowerCase()
  expect(signature).toContain('d=example.com')
  expect(signature).toMatch(/h=[^;]*list-unsubscribe:list-unsubscribe-post/)
})

test('answers of the server: final, later, or about the sender', async () => {
  server.refusals.set('b@example.net', '550 5.1.1 user unknown')
  server.refusals.set('c@example.net', '450 4.2.1 greylisted')
  expect(await send([delivery('a'), delivery('b'), delivery('c'), delivery('d')])).toMatchObject([
    { key: 'a', outcome: 'sent' },
    { key: 'b', outcome: 'refused', code: 'SMTP_550', permanent: true },
    { key: 'c', outcome: 'failed', code: 'SMTP_450' },
    { key: 'd', outcome: 'sent' },
  ])
  expect(await send([delivery('e')], { from: 'other@example.com' })).toMatchObject([
    { outcome: 'failed', code: 'SMTP_553' },
  ])
  server.faults.next('busy')
  expect(await send([delivery('f')])).toMatchObject([{ outcome: 'failed', code: 'SMTP_451' }])
  expect(await send([delivery('g')], { password: 'wrong' })).toMatchObject([
    { outcome: 'failed', code: 'SMTP_535' },
  ])
})

test('a connection that breaks after the mail was handed over leaves it unknown, and the next one goes out', async () => {
  server.faults.next('lost', undefined)
  expect(await send([delivery('a'), delivery('b')])).toMatchObject([
    { key: 'a', outcome: 'unknown' },
    { key: 'b', outcome: 'sent' },
  ])
  expect(server.received.map(({ to }) => to)).toEqual(['a@example.net', 'b@example.net'])
  expect(server.twice()).toEqual([])
})

test('a server that is not there has taken nothing', async () => {
  await server[Symbol.asyncDispose]()
  expect(await send([delivery('a'), delivery('b')])).toMatchObject([
    { outcome: 'failed', code: 'SMTP_CONNECTION' },
    { outcome: 'failed', code: 'SMTP_CONNECTION' },
  ])
  server = await openMailServer()
})

test('what must not go out is refused before anybody is asked', async () => {
  const results = await send([
    delivery('a', 'a@example.net\r\nBCC: everybody@example.net'),
    delivery('b', 'b@example.net', { unsubscribe_url: undefined }),
    delivery('c', 'c@example.net', { text: '', html: '' }),
    delivery('d', 'd@example.net', { unsubscribe_url: undefined, purpose: 'service' }),
  ])
  expect(results).toMatchObject([
    { outcome: 'refused', code: 'ADDRESS' },
    { outcome: 'refused', code: 'UNSUBSCRIBE' },
    { outcome: 'refused', code: 'EMPTY' },
    { outcome: 'sent' },
  ])
  expect(server.received).toHaveLength(1)
})

test('bounces, complaints and answers find their message', async () => {
  const [result] = await send([delivery('1.welcome.1', 'wang@example.net')])
  const { providerId } = result as { providerId: string }
  const about = { messageId: providerId, to: 'wang@example.net', from: 'shop@example.com' }
  const told = async (mail: string) => (await receive(mail)).receipts
  expect(await told(bounceMail(about, { status: '5.1.1' }))).toMatchObject([
    {
      providerId,
      key: '1.welcome.1',
      kind: 'bounced',
      code: '5.1.1',
      message: 'hard: 550 5.1.1 not delivered',
    },
  ])
  expect(await told(bounceMail(about, { status: '4.2.2', diagnostic: '452 mailbox full' }))).toMatchObject([
    { kind: 'bounced', code: '4.2.2', message: 'soft: 452 mailbox full' },
  ])
  expect(await told(bounceMail(about, { status: '4.4.1', action: 'delayed' }))).toEqual([])
  expect(await told(complaintMail(about))).toMatchObject([
    { providerId, key: '1.welcome.1', kind: 'complained', code: 'abuse' },
  ])
  expect(await told(complaintMail(about, 'not-spam'))).toEqual([])
  const reply = `From: wang@example.net\r\nIn-Reply-To: ${providerId}\r\nSubject: Re\r\n`
  expect(await told(`${reply}\r\n多少钱？`)).toMatchObject([
    { providerId, kind: 'replied', detail: '多少钱？' },
  ])
  expect(await told(`${reply}Auto-Submitted: auto-replied\r\n\r\n休假中`)).toEqual([])
  expect(await told(bounceMail({ ...about, messageId: '<x@y.example>' }, { status: '5.1.1' }))).toEqual([])
  expect(await receive(complaintMail(about), 'inbound/wrong')).toMatchObject({ status: 404 })
})

test('with a bounce address of its own a mail is found even when its id was changed on the way', async () => {
  await using open = await openMailServer()
  const account = { port: open.port, user: '', bounceAddress: 'back@example.com', ownBounceAddress: true }
  await send([delivery('1.welcome.1'), delivery(`${'long'.repeat(20)}.1`)], account)
  const [{ from } = { from: '' }, long] = open.received
  expect(from).toMatch(/^back\+ht-[0-9a-z-]+@example\.com$/)
  // It does not fit into an address.
  expect(long?.from).toBe('back@example.com')
  const mail = bounceDialects.qmail({ messageId: '<new@relay.example>', to: 'wang@example.net', from })
  expect(await receive(mail)).toMatchObject({
    status: 202,
    body: { receipts: 1 },
    receipts: [{ key: '1.welcome.1', kind: 'bounced', code: '5.1.1' }],
  })
  expect(await receive('no mail')).toMatchObject({ status: 400 })
})

test('settings are tried without sending', async () => {
  expect(await channel.verifySettings!(settings, context)).toEqual({ ok: true })
  expect(await channel.verifySettings!({ ...settings, password: 'wrong' }, context)).toMatchObject({
    ok: false,
    field: 'password',
    reason: 'credentials',
  })
  expect(await channel.verifySettings!({ ...settings, port: 1 }, context)).toMatchObject({
    ok: false,
    field: 'port',
    reason: 'unreachable',
  })
  expect(await channel.verifySettings!({ ...settings, from: 'nobody' }, context)).toMatchObject({
    ok: false,
    field: 'from',
  })
  expect(server.received).toEqual([])
})
