import type { Receipt } from '@huitou/plugin-api'
import PostalMime from 'postal-mime'
import type { Email } from 'postal-mime'
import { findMessageId } from './message-id.ts'

/**
 * What a mail that came back tells of one of ours: a bounce (RFC 3464), a complaint (RFC 5965) or an answer of the
 * person. Nothing for any other mail, and for answers that machines write.
 */
export async function readInbound(raw: Uint8Array, now: number): Promise<Receipt[]> {
  const mail = await PostalMime.parse(raw, { forceRfc822Attachments: true }).catch(() => undefined)
  if (!mail) return []
  const at = Math.min(Date.parse(mail.date ?? '') || now, now)
  const status = partOf(mail, /^message\/(?:global-)?delivery-status$/)
  const feedback = partOf(mail, /^message\/feedback-report$/)
  if (status !== undefined) return readBounce(status, { mail, raw, at })
  if (feedback !== undefined) return readComplaint(feedback, { mail, raw, at })
  return readReply(mail, at)
}

interface Reported {
  mail: Email
  raw: Uint8Array
  at: number
}

function readBounce(status: string, { mail, raw, at }: Reported): Receipt[] {
  const about = reportedId(mail, raw)
  if (!about) return []
  const failed = status
    .split(/\r?\n\r?\n/)
    .map(readFields)
    .find((fields) => fields.get('action')?.toLowerCase() === 'failed')
  if (!failed) return []
  const code = /\d\.\d{1,3}\.\d{1,3}/.exec(failed.get('status') ?? '')?.[0] ?? '5.0.0'
  const kind = code.startsWith('4') ? 'soft' : 'hard'
  const diagnostic = failed.get('diagnostic-code')?.replace(/^smtp;\s*/i, '') ?? ''
  return [{ ...about, kind: 'bounced', at, code, message: `${kind}: ${diagnostic}`.slice(0, 500) }]
}

function readComplaint(feedback: string, { mail, raw, at }: Reported): Receipt[] {
  const about = reportedId(mail, raw)
  const type = readFields(feedback).get('feedback-type')?.toLowerCase()
  if (!about || !type || type === 'not-spam') return []
  return [{ ...about, kind: type === 'opt-out' ? 'unsubscribed' : 'complained', at, code: type }]
}

function readReply(mail: Email, at: number): Receipt[] {
  const about = findMessageId(`${mail.inReplyTo ?? ''} ${mail.references ?? ''}`)
  const header = (name: string) => mail.headers.find(({ key }) => key === name)?.value.toLowerCase()
  const isAutomatic = (header('auto-submitted') ?? 'no') !== 'no' || header('precedence') === 'auto_reply'
  if (!about || isAutomatic) return []
  const detail = (mail.text ?? mail.subject ?? '').trim().slice(0, 1000)
  return [{ providerId: about.messageId, key: about.key, kind: 'replied', at, detail }]
}

/** Which of our messages a report is about: the one whose headers it gives back. */
function reportedId(mail: Email, raw: Uint8Array): { providerId: string; key: string } | undefined {
  const returned = partOf(mail, /^(?:message\/(?:global|rfc822)(?:-headers)?|text\/rfc822-headers)$/)
  const found = findMessageId(returned ?? new TextDecoder().decode(raw))
  return found && { providerId: found.messageId, key: found.key }
}

function partOf(mail: Email, type: RegExp): string | undefined {
  const part = mail.attachments.find(({ mimeType }) => type.test(mimeType.toLowerCase()))
  if (!part) return undefined
  return typeof part.content === 'string' ? part.content : new TextDecoder().decode(part.content)
}

/** Header fields by lower-case name, folded lines put together. */
function readFields(text: string): Map<string, string> {
  const lines = text.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/)
  return new Map(
    lines.flatMap((line) => {
      const [, name, value] = /^([\w-]+):\s*(.*)$/.exec(line) ?? []
      return name ? [[name.toLowerCase(), (value ?? '').trim()] as const] : []
    }),
  )
}
