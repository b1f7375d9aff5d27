import { AppError } from '@huitou/plugin-api'
import nodemailer from 'nodemailer'
import type { MailServer } from './mail-server.ts'

export interface Mail {
  to: string
  subject: string
  text: string
}

const STEP_MS = 10_000

/** Hands one mail to the server; throws an error that says whether the way, the sign-in or the mail was at fault. */
export async function sendMail(server: MailServer, { to, subject, text }: Mail): Promise<void> {
  const { host, port, security, user, password, from, fromName } = server
  const transport = nodemailer.createTransport({
    host,
    port,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    connectionTimeout: STEP_MS,
    greetingTimeout: STEP_MS,
    socketTimeout: STEP_MS,
    dnsTimeout: STEP_MS / 2,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(user === '' ? {} : { auth: { user, pass: password } }),
  })
  try {
    await transport.sendMail({
      from: { name: fromName, address: from },
      to: { name: '', address: to },
      subject,
      text,
      // Nobody's absence notice should come back, and no other program should answer.
      headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
    })
  } catch (cause) {
    throw toError(cause, server)
  } finally {
    transport.close()
  }
}

function toError(cause: unknown, { host, port }: MailServer): AppError {
  const {
    code = '',
    message = '',
    response,
    responseCode,
  } = cause as {
    code?: string
    message?: string
    response?: string
    responseCode?: number
  }
  const said = (response ?? message).slice(0, 300)
  const details = { message: said, server: `${host}:${port}` }
  if (code === 'EAUTH' || responseCode === 535)
    return new AppError('world', 'E_MAIL_SIGN_IN', `The mail server does not let us in: ${said}`, {
      status: 502,
      details,
      cause,
      hint: 'Look at user and password; many providers want a password made for programs.',
    })
  if (responseCode === undefined)
    return new AppError('world', 'E_MAIL_UNREACHABLE', `${host}:${port} does not answer: ${said}`, {
      status: 502,
      details,
      cause,
      hint: 'Look at host, port and encryption, and whether the server may reach them.',
    })
  return new AppError('world', 'E_MAIL_REFUSED', `The mail server refused the mail: ${said}`, {
    status: 502,
    details,
    cause,
    hint: 'Look at sender and recipient; many servers only take senders of their own domain.',
  })
}
