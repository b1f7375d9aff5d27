import type { AddressInfo, Socket } from 'node:net'
import PostalMime from 'postal-mime'
import { SMTPServer } from 'smtp-server'
import type { SMTPServerSession } from 'smtp-server'
import { Faults } from './faults.ts'

export interface MailServerOptions {
  user?: string
  password?: string
  /** Senders it lets in; all if absent. */
  senders?: readonly string[]
}

/** A message as it arrived. */
export interface ReceivedMail {
  from: string
  to: string
  messageId: string
  subject: string
  text: string
  html: string
  attachments: { filename: string | null; type: string; bytes: Uint8Array }[]
  /** Header lines by lower-case name, unfolded. */
  headers: Map<string, string>
  raw: Uint8Array
}

/** A mail server that records what it takes and delivers nothing. */
export interface MailServer extends AsyncDisposable {
  readonly host: string
  readonly port: number
  readonly received: ReceivedMail[]
  /** `lost` breaks the connection after the message was taken and before the answer; `busy` answers 451. */
  readonly faults: Faults
  /** What recipients are answered: `nobody@example.com` → `550 5.1.1 user unknown`. */
  readonly refusals: Map<string, string>
  /** Message ids that arrived more than once: none may. */
  twice(): string[]
}

/** Starts a mail server on a free port of this machine, without encryption. */
export async function openMailServer({
  user,
  password,
  senders,
}: MailServerOptions = {}): Promise<MailServer> {
  const received: ReceivedMail[] = []
  const faults = new Faults()
  const refusals = new Map<string, string>()
  const server = new SMTPServer({
    authOptional: user === undefined,
    allowInsecureAuth: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    onAuth({ username, password: given }, _session, done) {
      if (username === user && given === password) done(null, { user: username })
      else done(reply('535 5.7.8 authentication credentials invalid'))
    },
    onMailFrom({ address }, _session, done) {
      done(senders && !senders.includes(address) ? reply('553 5.7.1 sender not allowed') : null)
    },
    onRcptTo({ address }, _session, done) {
      const refusal = refusals.get(address)
      done(refusal ? reply(refusal) : null)
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const fault = faults.take()
        if (fault === 'busy') return done(reply('451 4.3.2 try again later'))
        if (fault === 'hang-up') return hangUp(session)
        void readMail(session, Buffer.concat(chunks)).then((mail) => {
          received.push(mail)
          if (fault === 'lost') hangUp(session)
          else if (fault === undefined) done()
          else setTimeout(done, fault.slow)
        })
      })
    },
  })
  // The library has no other way to break a connection as a network does.
  const { connections } = server as unknown as { connections: Set<{ id: string; _socket: Socket }> }
  const hangUp = ({ id }: SMTPServerSession) =>
    void [...connections].find((connection) => connection.id === id)?._socket.destroy()
  server.on('error', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    host: '127.0.0.1',
    port: (server.server.address() as AddressInfo).port,
    received,
    faults,
    refusals,
    twice() {
      const seen = Map.groupBy(received, ({ messageId }) => messageId)
      return [...seen].flatMap(([id, mails]) => (mails.length > 1 ? [id] : []))
    },
    async [Symbol.asyncDispose]() {
      for (const { _socket } of connections) _socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

function reply(line: string): Error & { responseCode: number } {
  return Object.assign(new Error(line.slice(4)), { responseCode: Number(line.slice(0, 3)) })
}

async function readMail({ envelope }: SMTPServerSession, raw: Buffer): Promise<ReceivedMail> {
  const {
    messageId = '',
    subject = '',
    text = '',
    html = '',
    headers,
    attachments,
  } = await PostalMime.parse(raw)
  return {
    from: envelope.mailFrom ? envelope.mailFrom.address : '',
    to: envelope.rcptTo.map(({ address }) => address).join(', '),
    messageId,
    subject,
    text,
    html,
    attachments: attachments.map(({ filename, mimeType, content }) => ({
      filename,
      type: mimeType,
      bytes: typeof content === 'string' ? new TextEncoder().encode(content) : new Uint8Array(content),
    })),
    headers: new Map(headers.map(({ key, value }) => [key.toLowerCase(), value])),
    raw: new Uint8Array(raw),
  }
}
