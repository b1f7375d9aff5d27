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
}

/** The account in `settings`, or which field is wrong and why. */
export function readAccount(
  settings: Readonly<Record<string, unknown>>,
): MailAccount | { field: string; message: string } {
  const text = (name: string) => (typeof settings[name] === 'string' ? settings[name].trim() : '')
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
  return {
    host: text('host'),
    port,
    security,
    user: text('user'),
    password: typeof settings['password'] === 'string' ? settings['password'] : '',
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

/** Whether mail can be sent there: one `@`, a domain, and nothing that would end a line or a list. */
export function isAddress(text: string): boolean {
  return /^[^\s@<>(),;:"\\]+@[^\s@<>(),;:"\\]+\.[^\s@<>(),;:"\\]+$/.test(text) && text.length <= 254
}
