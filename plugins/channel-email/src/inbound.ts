import type { Receipt } from '@huitou/plugin-api'
import PostalMime from 'postal-mime'
import type { Email } from 'postal-mime'
import { isNoMailbox, readReportInWords, readStatus } from './bounce.ts'
import type { BounceCause } from './bounce.ts'
import { readFields, readHead } from './header-fields.ts'
import { findBounceAddress, findMessageId } from './mail-tag.ts'
import type { NamedDelivery } from './mail-tag.ts'

/**
 * Read of a mail: what it tells comes first, and what it gives back whole may be large. Parsing takes longer than in
 * proportion to what it is handed.
 */
const readAtMost = 131_072
/** A report is not believed to be older than servers keep trying, and much longer. */
const oldest = 30 * 86_400_000
/** Kinds of feedback that are a complaint of a person; `auth-failure`, `not-spam` and `virus` are not. */
const complaints = new Set(['abuse', 'fraud', 'other', 'miscategorized'])

/**
 * What a mail that came back tells of one of ours: a bounce (RFC 3464, or in words), a complaint (RFC 5965) or an
 * answer of the person. Nothing for any other mail, for answers that machines write, and for reports on mails that
 * were signed with none of `secrets`. Undefined for what is no mail.
 */
export async function readInbound(
  raw: Uint8Array,
  { now, secrets, received = now }: { now: number; secrets: readonly string[]; received?: number },
): Promise<Receipt[] | undefined> {
  const mail = await PostalMime.parse(raw.subarray(0, readAtMost), {
    forceRfc822Attachments: true,
    maxNestingDepth: 20,
    maxHeadersSize: 262_144,
  }).catch(() => undefined)
  if (!mail || !mail.headers.some(({ key }) => key === 'from' || key === 'return-path')) return undefined
  const at = [Date.parse(mail.date ?? ''), received].find((time) => time <= now && time > now - oldest) ?? now
  for (const secret of secrets) {
    const receipts = readMail(mail, { secret, at })
    if (receipts.length > 0) return receipts
  }
  return []
}

function readMail(mail: Email, { secret, at }: Omit<Reading, 'mail'>): Receipt[] {
  const status = partOf(mail, /^message\/(?:global-)?delivery-status$/)
  const feedback = partOf(mail, /^message\/feedback-report$/)
  if (status !== undefined) return bounceOf(readStatus(status), findReported(mail, secret), at)
  if (feedback !== undefined) return readComplaint(feedback, { mail, secret, at })
  if (isFromMailer(mail))
    return bounceOf(
      readReportInWords({ subject: mail.subject ?? '', text: wordsOf(mail) }),
      findReported(mail, secret) ?? findInWords(wordsOf(mail), secret),
      at,
    )
  return readReply(mail, { secret, at })
}

function bounceOf(cause: BounceCause | undefined, about: NamedDelivery | undefined, at: number): Receipt[] {
  if (!cause || !about) return []
  const permanent = isNoMailbox(cause.code)
  return [
    {
      providerId: about.messageId,
      key: about.key,
      kind: 'bounced',
      at,
      ...cause,
      ...(permanent ? { permanent } : {}),
    },
  ]
}

interface Reading {
  mail: Email
  secret: string
  at: number
}

function readComplaint(feedback: string, { mail, secret, at }: Reading): Receipt[] {
  const fields = readFields(feedback)
  const type = fields.get('feedback-type')?.toLowerCase() ?? ''
  // What is personal is often struck out, the address that the mail came from is not.
  const about =
    findBounceAddress(fields.get('original-mail-from') ?? '', secret) ?? findReported(mail, secret)
  if (!about || !(type === 'opt-out' || complaints.has(type))) return []
  const kind = type === 'opt-out' ? 'unsubscribed' : 'complained'
  return [{ providerId: about.messageId, key: about.key, kind, at, code: type }]
}

function readReply(mail: Email, { secret, at }: Omit<Reading, 'mail'>): Receipt[] {
  const about = findMessageId(mail.inReplyTo ?? '', secret) ?? findMessageId(mail.references ?? '', secret)
  if (!about || isAutomatic(mail)) return []
  const detail = (mail.text ?? mail.subject ?? '').trim().slice(0, 1000)
  return [{ providerId: about.messageId, key: about.key, kind: 'replied', at, detail }]
}

/**
 * Which of our mails a report is about: the one whose bounce address it was sent to, or whose head it gives back. A
 * mention anywhere else is none: what bounced may be our answer in a talk that began with a mail of ours.
 */
function findReported(mail: Email, secret: string): NamedDelivery | undefined {
  const returned = partOf(mail, /^(?:message\/(?:global|rfc822)(?:-headers)?|text\/rfc822-headers)$/)
  const head = returned === undefined ? undefined : readHead(returned)
  const addressed = ['to', 'delivered-to', 'x-original-to', 'envelope-to'].map((name) => header(mail, name))
  return (
    findBounceAddress([...addressed, head?.get('return-path') ?? ''].join('\n'), secret) ??
    findMessageId(head ? (head.get('message-id') ?? '') : (mail.inReplyTo ?? ''), secret)
  )
}

/** Reports in words put a copy of the mail below them. */
function findInWords(words: string, secret: string): NamedDelivery | undefined {
  return findMessageId(/^message-id:\s*(<[^\s<>]{1,900}>)/im.exec(words)?.[1] ?? '', secret)
}

function isFromMailer(mail: Email): boolean {
  const from = mail.from?.address ?? ''
  return header(mail, 'x-failed-recipients') !== '' || /^(?:mailer-daemon|postmaster)@/i.test(from)
}

function isAutomatic(mail: Email): boolean {
  return (
    !['', 'no'].includes(header(mail, 'auto-submitted').toLowerCase()) ||
    /^(?:bulk|junk|list|auto_reply)$/i.test(header(mail, 'precedence')) ||
    header(mail, 'x-autoreply') !== '' ||
    header(mail, 'x-autorespond') !== '' ||
    header(mail, 'return-path') === '<>' ||
    /^multipart\/report\b/i.test(header(mail, 'content-type'))
  )
}

function header(mail: Email, name: string): string {
  return (mail.headers.find(({ key }) => key === name)?.value ?? '').trim()
}

function wordsOf({ text, html }: Email): string {
  return text ?? html?.replace(/<[^<>]*>/g, ' ') ?? ''
}

function partOf(mail: Email, type: RegExp): string | undefined {
  const part = mail.attachments.find(({ mimeType }) => type.test(mimeType.toLowerCase()))
  if (!part) return undefined
  return typeof part.content === 'string' ? part.content : new TextDecoder().decode(part.content)
}
