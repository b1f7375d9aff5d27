import { Readable } from 'node:stream'
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import type { MailAccount } from './account.ts'

/** What a mail server, or the way to it, said instead of yes. */
export class SmtpError extends Error {
  /** `550`; absent when nothing came back. */
  readonly status: number | undefined
  /** The command it answered, such as `MAIL FROM`. */
  readonly command: string
  /** The message was handed over whole, so it may have been taken although nothing came back. */
  readonly handedOver: boolean

  constructor(cause: unknown, handedOver = false) {
    const { message, responseCode, command, response } = (cause ?? {}) as {
      message?: string
      responseCode?: number
      command?: string
      response?: string
    }
    super((response || message || 'the connection was closed').slice(0, 500), { cause })
    this.status = responseCode
    this.command = command ?? ''
    this.handedOver = handedOver
  }
}

/** A connection to a mail server, logged in. */
export interface SmtpSession {
  /** Resolves when the server took the message, and throws an `SmtpError` otherwise. */
  send(envelope: { from: string; to: string }, raw: Buffer): Promise<void>
  close(): void
}

/** Connects and logs in; throws an `SmtpError`. */
export async function openSession(account: MailAccount, signal: AbortSignal): Promise<SmtpSession> {
  const { host, port, security, user, password } = account
  const connection = new SMTPConnection({
    host,
    port,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 15_000,
    dnsTimeout: 5_000,
  })
  let broken: unknown
  const waiting = new Set<(error: unknown) => void>()
  const breakOff = (error: unknown) => {
    broken ??= error ?? new Error('the connection was closed')
    waiting.forEach((reject) => reject(broken))
    connection.close()
  }
  connection.on('error', breakOff)
  connection.on('end', () => breakOff(undefined))
  const abort = () => breakOff(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  /** One step of the conversation; a connection that breaks meanwhile ends it as well. */
  const step = async (start: (done: (error?: unknown) => void) => void) => {
    if (broken !== undefined) throw broken
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    waiting.add(reject)
    start((error) => (error ? reject(error) : resolve()))
    await promise.finally(() => waiting.delete(reject))
  }
  try {
    if (signal.aborted) throw signal.reason
    await step((done) => connection.connect(done))
    if (user !== '')
      await step((done) => connection.login({ user, credentials: { user, pass: password } }, done))
  } catch (error) {
    breakOff(error)
    throw new SmtpError(error)
  }
  return {
    async send({ from, to }, raw) {
      let handedOver = false
      const body = Readable.from([raw], { objectMode: false }).once('end', () => {
        handedOver = true
      })
      try {
        await step((done) => connection.send({ from, to: [to] }, body, done))
      } catch (error) {
        throw new SmtpError(error, handedOver)
      }
    },
    close() {
      signal.removeEventListener('abort', abort)
      if (broken === undefined) connection.quit()
    },
  }
}
