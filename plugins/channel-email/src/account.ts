/** An account's settings, with what is usual where nothing was said. */
export interface MailAccount {
  host: string
  port: number
  security: 'tls' | 'starttls' | 'none'
  user: string
  password: string
  from: string
  fromName: string
  replyTo: string
  bounceAddress: string
  /** Each mail has a bounce address of its own. */
  ownBounceAddress: boolean
  subjectMark: string
  dkimDomain: string
  dkimSelector: string
  dkimPrivateKey: string
  /** Where bounces arrive; absent when they are posted. */
  mailbox?: MailboxAccount
}

export interface MailboxAccount {
  host: string
  port: number
  security: 'tls' | 'starttls' | 'none'
  user: string
  password: string
  folder: string
  /** Where mails go that have been dealt with; empty when they stay. */
  doneFolder: string
}

/** The account in `settings`, or which field is wrong and why. */
export function readAccount(
  settings: Readonly<Record<string, unknown>>,
): MailAccount | { field: string; message: string } {
  const text = (name: string) => (typeof settings[name] === 'string' ? settings[name].trim() : '')
  const secret = (name: string) => (typeof settings[name] === 'string' ? settings[name] : '')
  const security = text('security') || 'tls'
  const port = settings['port'] ?? { tls: 465, starttls: 587, none: 25 }[security]
  if (text('host') === '') return { field: 'host', message: 'The mail server is missing' }
  if (!isAddress(text('from'))) return { field: 'from', message: 'The sender is not an e-mail address' }
  if (security !== 'tls' && security !== 'starttls' && security !== 'none')
    return { field: 'security', message: `"${security}" is no way to encrypt` }
  if (typeof port !== 'number') return { field: 'port', message: 'The port is a number' }
  const dkim = ['dkimDomain', 'dkimSelector', 'dkimPrivateKey']
  const missing = dkim.find((name) => text(name) === '')
  if (missing && dkim.some((name) => text(name) !== ''))
    return { field: missing, message: 'DKIM needs domain, selector and private key' }
  const mailbox = readMailbox(settings, { text, secret })
  if (mailbox && 'field' in mailbox) return mailbox
  return {
    ...(mailbox ? { mailbox } : {}),
    host: text('host'),
    port,
    security,
    user: text('user'),
    password: secret('password'),
    from: text('from'),
    fromName: text('fromName'),
    replyTo: text('replyTo'),
    bounceAddress: text('bounceAddress'),
    ownBounceAddress: settings['ownBounceAddress'] === true,
    subjectMark: text('subjectMark'),
    dkimDomain: text('dkimDomain'),
    dkimSelector: text('dkimSelector'),
    dkimPrivateKey: text('dkimPrivateKey'),
  }
}

function readMailbox(
  settings: Readonly<Record<string, unknown>>,
  { text, secret }: Record<'text' | 'secret', (name: string) => string>,
): MailboxAccount | { field: string; message: string } | undefined {
  if (text('imapHost') === '') return undefined
  const security = text('imapSecurity') || 'tls'
  if (security !== 'tls' && security !== 'starttls' && security !== 'none')
    return { field: 'imapSecurity', message: `"${security}" is no way to encrypt` }
  const port = settings['imapPort'] ?? (security === 'tls' ? 993 : 143)
  if (typeof port !== 'number') return { field: 'imapPort', message: 'The port is a number' }
  const isOwn = text('imapUser') !== '' || secret('imapPassword') !== ''
  const user = isOwn ? text('imapUser') : text('user')
  if (user === '') return { field: 'imapUser', message: 'The mailbox needs a user' }
  const folder = text('imapFolder') || 'INBOX'
  if (folder === text('imapDoneFolder'))
    return { field: 'imapDoneFolder', message: 'Mails cannot be moved to where they are' }
  return {
    host: text('imapHost'),
    port,
    security,
    user,
    password: secret(isOwn ? 'imapPassword' : 'password'),
    folder,
    doneFolder: text('imapDoneFolder'),
  }
}

/** Whether mail can be sent there: one `@`, a domain, and nothing that would end a line or a list. */
export function isAddress(text: string): boolean {
  return /^[^\s@<>(),;:"\\]+@[^\s@<>(),;:"\\]+\.[^\s@<>(),;:"\\]+$/.test(text) && text.length <= 254
}
