import { buffer } from 'node:stream/consumers'
import type { Delivery } from '@huitou/plugin-api'
import DKIM from 'nodemailer/lib/dkim'
import MailComposer from 'nodemailer/lib/mail-composer'
import type { MailAccount } from './account.ts'
import { messageIdOf } from './mail-tag.ts'
import { toPlainText } from './plain-text.ts'

export interface ComposedMail {
  messageId: string
  raw: Buffer
}

/** RFC 8058 wants both headers of the one-click unsubscribe signed, which signers leave out on their own. */
const signedHeaders = [
  'From',
  'Reply-To',
  'Subject',
  'Date',
  'Message-ID',
  'To',
  'MIME-Version',
  'Content-Type',
  'Content-Transfer-Encoding',
  'List-Unsubscribe',
  'List-Unsubscribe-Post',
].join(':')

/** Why a content cannot be sent, as a code and in words. */
export function problemOf({ content }: Delivery): { code: string; message: string } | undefined {
  const { subject, text = '', html = '', purpose = 'marketing' } = content
  if (typeof subject !== 'string' || subject.trim() === '')
    return { code: 'SUBJECT', message: 'the subject is missing' }
  if (text === '' && html === '') return { code: 'EMPTY', message: 'there is neither text nor HTML' }
  if (purpose === 'marketing' && unsubscribeUrl(content) === undefined)
    return {
      code: 'UNSUBSCRIBE',
      message: 'marketing needs an unsubscribe address that begins with https://',
    }
  return undefined
}

/** The whole message, signed with DKIM where the account has a key. */
export async function composeMail(
  { key, address, content }: Delivery,
  account: MailAccount,
  { now, secret }: { now: number; secret: string | undefined },
): Promise<ComposedMail> {
  const { from, fromName, replyTo, subjectMark } = account
  const { subject, text = '', html = '', purpose = 'marketing' } = content as Record<string, string>
  const messageId = messageIdOf(key, from, secret)
  const url = unsubscribeUrl(content)
  const mark = purpose === 'marketing' && subjectMark !== '' ? `${subjectMark} ` : ''
  const composer = new MailComposer({
    from: { name: fromName, address: from },
    to: { name: '', address },
    ...(replyTo === '' ? {} : { replyTo }),
    subject: `${mark}${subject}`,
    text: text || toPlainText(html),
    ...(html === '' ? {} : { html }),
    messageId,
    date: new Date(now),
    attachments: attachmentsOf(content),
    headers: url
      ? { 'List-Unsubscribe': `<${url}>`, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' }
      : {},
    // A template must not read files of the server, nor make it fetch anything.
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  const raw = await composer.compile().build()
  return { messageId, raw: account.dkimPrivateKey === '' ? raw : await sign(raw, account) }
}

async function sign(raw: Buffer, { dkimDomain, dkimSelector, dkimPrivateKey }: MailAccount): Promise<Buffer> {
  const dkim = new DKIM({
    domainName: dkimDomain,
    keySelector: dkimSelector,
    privateKey: dkimPrivateKey,
    headerFieldNames: signedHeaders,
  })
  return await buffer(dkim.sign(raw))
}

/** Files as Huitou hands them over: name, type, and the bytes in Base64. */
function attachmentsOf({ attachments }: Delivery['content']) {
  if (!Array.isArray(attachments)) return []
  return attachments.flatMap((file: unknown) => {
    if (typeof file !== 'object' || file === null) return []
    const { filename, type, content } = file as Record<string, unknown>
    if (typeof filename !== 'string' || typeof type !== 'string' || typeof content !== 'string') return []
    return [{ filename, contentType: type, content: Buffer.from(content, 'base64') }]
  })
}

function unsubscribeUrl({ unsubscribe_url: url }: Delivery['content']): string | undefined {
  return typeof url === 'string' && /^https:\/\/[^\s<>]+$/.test(url) && URL.canParse(url) ? url : undefined
}
