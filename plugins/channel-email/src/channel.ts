import type { Channel, Delivery, DeliveryResult, Huitou, SettingsReason } from '@huitou/plugin-api'
import { isAddress, readAccount } from './account.ts'
import type { MailAccount } from './account.ts'
import { enhancedCode, isNoMailbox } from './bounce.ts'
import { composeMail, problemOf } from './compose.ts'
import { readInbound } from './inbound.ts'
import { isOurs } from './inbound-token.ts'
import { MailSecrets } from './mail-secrets.ts'
import { bounceAddressOf } from './mail-tag.ts'
import { MailboxError, pollMailbox, tryMailbox } from './mailbox.ts'
import { openSession, SmtpError } from './smtp.ts'
import type { SmtpSession } from './smtp.ts'

/** A call has a minute; a slow server must not cut the last mail off in the middle, where its fate is unknown. */
const startsWithinMs = 20_000

export interface EmailSettings {
  /** Opens the inbound address, and signs what mails are called. */
  inboundToken?: string
}

/** Sends mail through the account's server, one connection for a batch. */
export function createChannel(
  huitou: Pick<Huitou<{ settings: EmailSettings }>, 'settings' | 'storage'>,
): Channel {
  const secrets = new MailSecrets(huitou)
  return {
    async send({ settings, deliveries }, { now, signal }) {
      const account = readAccount(settings)
      if ('field' in account)
        return deliveries.map(({ key }) => ({
          key,
          outcome: 'failed',
          code: 'SETTINGS',
          message: account.message,
        }))
      const line = new Line(account, signal)
      const secret = await secrets.signing()
      const results: DeliveryResult[] = []
      const began = performance.now()
      for (const delivery of deliveries) {
        const isLate = signal.aborted || performance.now() - began > startsWithinMs
        results.push(isLate ? tooSlow(delivery.key) : await sendOne(line, delivery, { account, now, secret }))
      }
      line.close()
      return results
    },

    async handleWebhook({ path, body, settings }, { now }) {
      if (!isOurs(path, settings['inboundToken'])) return { status: 404, body: { error: 'no such address' } }
      const known = new Set([String(settings['inboundToken']), ...(await secrets.all())])
      const receipts = await readInbound(body, { now, secrets: [...known] })
      if (!receipts) return { status: 400, body: { error: 'this is no mail' } }
      return { status: 202, body: { receipts: receipts.length }, receipts }
    },

    async poll({ settings, cursor }, { now, signal }) {
      const account = readAccount(settings)
      if ('field' in account || !account.mailbox) return { receipts: [] }
      const known = await secrets.all()
      return await pollMailbox(account.mailbox, {
        cursor,
        now,
        signal,
        read: async (raw, received) => (await readInbound(raw, { now, secrets: known, received })) ?? [],
      })
    },

    async verifySettings(settings, { signal }) {
      const account = readAccount(settings)
      if ('field' in account) return { ok: false, ...account }
      try {
        if (account.mailbox) await tryMailbox(account.mailbox, signal)
      } catch (error) {
        const field = error instanceof MailboxError ? error.field : 'imapHost'
        return { ok: false, message: (error as Error).message, field }
      }
      try {
        const session = await openSession(account, signal)
        session.close()
        return { ok: true }
      } catch (error) {
        return { ok: false, message: (error as SmtpError).message, ...whyNot(error as SmtpError) }
      }
    },
  }
}

/** Which setting kept a mail server from being reached, as far as that can be told. */
function whyNot({ status, cause }: SmtpError): { field: string; reason?: SettingsReason } {
  const { code = '', syscall } = (cause ?? {}) as { code?: string; syscall?: string }
  if (code === 'EAUTH' || status === 530 || status === 535)
    return { field: 'password', reason: 'credentials' }
  if (code === 'EDNS' || syscall === 'getaddrinfo') return { field: 'host', reason: 'unknownHost' }
  if (syscall === 'connect') return { field: 'port', reason: 'unreachable' }
  if (code === 'ETIMEDOUT') return { field: 'port', reason: 'silent' }
  if (code === 'ETLS' || code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS'))
    return { field: 'security', reason: 'encryption' }
  return { field: 'host' }
}

async function sendOne(
  line: Line,
  delivery: Delivery,
  { account, now, secret }: { account: MailAccount; now: number; secret: string },
): Promise<DeliveryResult> {
  const { key, address } = delivery
  const problem = isAddress(address)
    ? problemOf(delivery)
    : { code: 'ADDRESS', message: 'this is not an e-mail address' }
  if (problem) return { key, outcome: 'refused', ...problem }
  try {
    const { messageId, raw } = await composeMail(delivery, account, { now, secret })
    const session = await line.open()
    const bounces = account.bounceAddress || account.from
    const own = account.ownBounceAddress ? bounceAddressOf(key, bounces, secret) : undefined
    await session.send({ from: own ?? bounces, to: address }, raw)
    return { key, outcome: 'sent', providerId: messageId }
  } catch (error) {
    // Whatever was said on it last, the next message starts afresh.
    line.close()
    return toResult(key, error)
  }
}

function tooSlow(key: string): DeliveryResult {
  return { key, outcome: 'failed', code: 'SLOW', message: 'the mail server is too slow for the whole batch' }
}

/**
 * 5xx is about this message and final, unless it is about who sends it; 4xx asks to try again. When nothing came back
 * after the whole message was handed over, the server may have it.
 */
function toResult(key: string, error: unknown): DeliveryResult {
  if (!(error instanceof SmtpError))
    return { key, outcome: 'refused', code: 'COMPOSE', message: String(error) }
  const { status, command, message, handedOver } = error
  if (status === undefined)
    return handedOver
      ? { key, outcome: 'unknown', message }
      : { key, outcome: 'failed', code: 'SMTP_CONNECTION', message }
  const code = `SMTP_${status}`
  if (status < 500 || !/^(?:RCPT TO|DATA)$/.test(command)) return { key, outcome: 'failed', code, message }
  const permanent = command === 'RCPT TO' && isNoMailbox(enhancedCode(message) ?? '')
  return { key, outcome: 'refused', code, message, ...(permanent ? { permanent } : {}) }
}

/** One connection that is opened when it is needed; after a failure to open, it is not tried again. */
class Line {
  readonly #account: MailAccount
  readonly #signal: AbortSignal
  #session: SmtpSession | undefined
  #failure: SmtpError | undefined

  constructor(account: MailAccount, signal: AbortSignal) {
    this.#account = account
    this.#signal = signal
  }

  async open(): Promise<SmtpSession> {
    if (this.#failure) throw this.#failure
    try {
      this.#session ??= await openSession(this.#account, this.#signal)
      return this.#session
    } catch (error) {
      this.#failure = error as SmtpError
      throw error
    }
  }

  close(): void {
    this.#session?.close()
    this.#session = undefined
  }
}
