import type { PollAnswer, Receipt } from '@huitou/plugin-api'
import { ImapFlow } from 'imapflow'
import type { MailboxAccount } from './account.ts'

/** Mails of one call; the next begins behind them. */
const MAILS = 50
/** A call has half a minute, and what was read must get home. */
const READS_MS = 12_000
const ENDS_MS = 25_000
/** How old a mail may be that is read when a mailbox is seen for the first time. */
const FIRST_DAYS = 7
/** Answers of people are for people to read. */
const PUT_AWAY = new Set<Receipt['kind']>(['bounced', 'complained', 'unsubscribed'])

/** How far a mailbox was read, and which mails told of something that is stored by now. */
interface Place {
  validity: string
  next: number
  done: number[]
}

export interface Reading {
  cursor: string | undefined
  now: number
  signal: AbortSignal
  /** What a mail tells; what it does not date came when it arrived. */
  read(raw: Uint8Array, received: number): Promise<Receipt[]>
}

/**
 * What new mails in the mailbox tell, and how far they were read. Nothing is changed by reading. Mails that the call
 * before read are marked as read, or moved, now: only now is it certain that what they told is stored.
 */
export async function pollMailbox(account: MailboxAccount, reading: Reading): Promise<PollAnswer> {
  const { cursor, now } = reading
  return await withMailbox(account, reading.signal, async (client) => {
    const mailbox = await client.mailboxOpen(account.folder)
    const validity = String(mailbox.uidValidity)
    const known = toPlace(cursor)
    // Numbers of another validity are of other mails: everything recent is looked at once more.
    const place = known?.validity === validity ? known : undefined
    if (place) await putAway(client, account, place.done)
    const found = await client.search(
      place ? { uid: `${place.next}:*` } : { since: new Date(now - FIRST_DAYS * 86_400_000) },
      { uid: true },
    )
    // `5:*` also gives the last mail when that is before 5.
    const uids = (found || []).filter((uid) => uid >= (place?.next ?? 0)).toSorted((a, b) => a - b)
    const { receipts, done, last } = await readMails(client, uids.slice(0, MAILS), reading)
    const isAll = last === undefined ? uids.length === 0 : last === uids.at(-1)
    const next = last === undefined ? (place?.next ?? (isAll ? mailbox.uidNext : 0)) : last + 1
    return { receipts, cursor: JSON.stringify({ validity, next, done }), more: !isAll && last !== undefined }
  })
}

/** Whether one can log in and the folder is there. */
export async function tryMailbox(account: MailboxAccount, signal: AbortSignal): Promise<void> {
  await withMailbox(account, signal, async (client) => {
    try {
      await client.mailboxOpen(account.folder, { readOnly: true })
    } catch (cause) {
      throw client.usable
        ? new MailboxError('imapFolder', `There is no folder "${account.folder}"`, cause)
        : cause
    }
  })
}

/** Which setting is wrong, in the words of the server. */
export class MailboxError extends Error {
  readonly field: string

  constructor(field: string, message: string, cause?: unknown) {
    super(message, { cause })
    this.field = field
  }
}

async function readMails(client: ImapFlow, uids: readonly number[], { read, signal }: Reading) {
  const receipts: Receipt[] = []
  const done: number[] = []
  let last: number | undefined
  const began = performance.now()
  for (const uid of uids) {
    if (signal.aborted || performance.now() - began > READS_MS) break
    try {
      const mail = await client.fetchOne(
        String(uid),
        { uid: true, internalDate: true, source: { start: 0, maxLength: 131_072 } },
        { uid: true },
      )
      // Gone meanwhile, or without anything in it.
      const raw = mail && mail.source
      const told = raw ? await read(raw, new Date(mail.internalDate ?? 0).getTime()) : []
      receipts.push(...told)
      if (told.some(({ kind }) => PUT_AWAY.has(kind))) done.push(uid)
      last = uid
    } catch (error) {
      // What was read before the connection broke counts; the next call goes on behind it.
      if (last === undefined) throw error
      break
    }
  }
  return { receipts, done, last }
}

async function putAway(
  client: ImapFlow,
  { doneFolder }: MailboxAccount,
  uids: readonly number[],
): Promise<void> {
  if (uids.length === 0) return
  const range = uids.join(',')
  await client.messageFlagsAdd(range, ['\\Seen'], { uid: true })
  if (doneFolder === '') return
  await client.mailboxCreate(doneFolder)
  await client.messageMove(range, doneFolder, { uid: true })
}

async function withMailbox<T>(
  account: MailboxAccount,
  signal: AbortSignal,
  work: (client: ImapFlow) => Promise<T>,
): Promise<T> {
  const client = new ImapFlow({
    host: account.host,
    port: account.port,
    secure: account.security === 'tls',
    doSTARTTLS: account.security === 'starttls',
    auth: { user: account.user, pass: account.password },
    logger: false,
    disableAutoIdle: true,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 15_000,
    // Whatever a server sends, a mail is read in part.
    maxLiteralSize: 1_048_576,
  })
  // Without a listener an error of the connection would end the process; each step hears of it by itself.
  client.on('error', () => {})
  const ends = AbortSignal.any([signal, AbortSignal.timeout(ENDS_MS)])
  const { promise: given, reject } = Promise.withResolvers<never>()
  given.catch(() => {})
  const giveUp = () => {
    reject(ends.reason)
    client.close()
  }
  ends.addEventListener('abort', giveUp, { once: true })
  try {
    if (ends.aborted) throw ends.reason
    await Promise.race([connect(client), given])
    const result = await Promise.race([work(client), given])
    await Promise.race([client.logout().catch(() => {}), given]).catch(() => {})
    return result
  } finally {
    ends.removeEventListener('abort', giveUp)
    client.close()
  }
}

async function connect(client: ImapFlow): Promise<void> {
  try {
    await client.connect()
  } catch (cause) {
    const { authenticationFailed, responseText, message } = cause as {
      authenticationFailed?: boolean
      responseText?: string
      message?: string
    }
    throw new MailboxError(
      authenticationFailed ? 'imapPassword' : 'imapHost',
      (responseText ?? message ?? 'the connection was closed').slice(0, 300),
      cause,
    )
  }
}

function toPlace(cursor: string | undefined): Place | undefined {
  if (cursor === undefined) return undefined
  try {
    const place = JSON.parse(cursor) as Place
    return typeof place.validity === 'string' && Number.isInteger(place.next) && Array.isArray(place.done)
      ? place
      : undefined
  } catch {
    return undefined
  }
}
