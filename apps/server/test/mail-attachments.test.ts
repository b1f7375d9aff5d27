import { openMailServer } from '@huitou/simulators'
import { expect, test } from 'vitest'
import { startTestServer } from './test-server.ts'

const channel = 'huitou.channel-email/mail'
const png = Buffer.concat([
  Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'),
  Buffer.from('a\r\n.\r\nb'),
])
const pdf = Buffer.concat([Buffer.from('%PDF-1.7\n'), Buffer.alloc(600_000, 'x')])

test('files of a message arrive with the mail byte for byte, and none that is missing or too much is left out', async () => {
  await using mail = await openMailServer()
  await using server = await startTestServer()
  const owner = await server.as()
  await server.huitou.plugins.enable('huitou.channel-email')
  const ask = async (path: string, body: unknown) => {
    const answer = await owner(path, { method: 'POST', body: JSON.stringify(body) })
    return { status: answer.status, ...((await answer.json()) as Record<string, unknown>) }
  }
  const upload = async (name: string, bytes: Uint8Array<ArrayBuffer>) => {
    const answer = await owner(`/api/assets?name=${encodeURIComponent(name)}`, {
      method: 'POST',
      body: bytes,
    })
    return ((await answer.json()) as { id: string }).id
  }
  const account = { host: mail.host, port: mail.port, security: 'none', from: 'shop@example.com' }
  expect(await ask('/api/channels/accounts', { channel, name: 'Shop', settings: account })).toMatchObject({
    status: 201,
  })
  const send = (attachments: string[]) =>
    ask('/api/content/test-send', {
      channel,
      address: 'wang@example.net',
      content: { subject: '春茶', html: '<p>您好</p>', purpose: 'service', attachments },
    })

  const [coupon, list] = [await upload('券 "5元".svg', png), await upload('list.pdf', pdf)]
  expect(await send([coupon, list])).toMatchObject({ outcome: 'sent' })
  const [received] = mail.received
  expect(received?.html).toContain('<p>您好</p>')
  expect(received?.attachments.map(({ filename, type }) => [filename, type])).toEqual([
    ['券 _5元_.png', 'image/png'],
    ['list.pdf', 'application/pdf'],
  ])
  expect(received?.attachments.map(({ bytes }) => Buffer.from(bytes).equals(png))).toEqual([true, false])
  expect(Buffer.from(received!.attachments[1]!.bytes).equals(pdf)).toBe(true)

  // Together more than a mail carries.
  expect(await send([list, await upload('again.pdf', pdf)])).toMatchObject({ code: 'E_CONTENT' })
  await owner(`/api/assets/${coupon}`, { method: 'DELETE' })
  expect(await send([coupon])).toMatchObject({ code: 'E_CONTENT' })
  expect(mail.received).toHaveLength(1)
})
