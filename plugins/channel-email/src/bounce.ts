import { readFields } from './header-fields.ts'

/** Why a mail did not arrive. */
export interface BounceCause {
  /** Enhanced status code such as `5.1.1`. */
  code: string
  message: string
}

/**
 * Whether a code says that there is no such mailbox (RFC 3463): unlike those about a message, a policy or a full mailbox,
 * it holds for every mail to come.
 */
export function isNoMailbox(code: string): boolean {
  return /^5\.(?:1\.(?:1|2|3|6|10)|2\.1)$/.test(code)
}

/** What a delivery status says of a recipient that was given up; undefined for delays, relays and deliveries. */
export function readStatus(status: string): BounceCause | undefined {
  const failed = status
    .split(/\r?\n(?:[ \t]*\r?\n)+/)
    .map(readFields)
    .find((fields) => /^failed\b/i.test(fields.get('action') ?? ''))
  if (!failed) return undefined
  const diagnostic = (failed.get('diagnostic-code') ?? '').replace(/^[\w-]+\s*;\s*/, '')
  const told = enhancedCode(failed.get('status') ?? '')
  const found = codeOf(diagnostic)
  // Some servers write 5.0.0 whatever it was, and the reason only into the words of the other side.
  const isVague = told === undefined || (told.endsWith('.0.0') && found?.[0] === told[0])
  return causeOf((isVague ? found : told) ?? told ?? '5.0.0', diagnostic)
}

/**
 * What a report in words alone says, as qmail, older Exim and some providers in China write them. Undefined when it
 * tells of a delay.
 */
export function readReportInWords({ subject, text }: { subject: string; text: string }) {
  const words = text.slice(0, 20_000)
  const isDelay =
    /\bdelay|\bwarning\b|延迟|延误/i.test(subject) ||
    /\b(?:will (?:be retried|keep trying|continue to)|not been able to deliver[^.]{0,80} yet|do not need to (?:re)?send)\b|稍后重试|将继续尝试/i.test(
      words,
    )
  if (isDelay) return undefined
  const reason = words.split(/\r?\n/).find((line) => codeOf(line) !== undefined)
  return causeOf((reason && codeOf(reason)) || '5.0.0', reason?.trim() ?? subject)
}

function causeOf(code: string, reason: string): BounceCause {
  return { code, message: `${code.startsWith('4') ? 'soft' : 'hard'}: ${reason}`.slice(0, 500) }
}

/** An enhanced code, or one made of a plain `550`. */
function codeOf(text: string): string | undefined {
  const plain = /(?:^|[\s#(:;])([45])\d\d(?=[\s#:;-]|$)/.exec(text)?.[1]
  return enhancedCode(text) ?? (plain && `${plain}.0.0`)
}

/** The first code such as `5.1.1` in an answer or a report; not the beginning of an IP address. */
export function enhancedCode(text: string): string | undefined {
  return /(?<![\d.])[45]\.\d{1,3}\.\d{1,3}(?!\.?\d)/.exec(text)?.[0]
}
