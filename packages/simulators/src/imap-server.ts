import type { AddressInfo, Socket } from 'node:net'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Faults } from './faults.ts'
import { type ImapCommand, type ImapValue, isInSet, parseImapCommand } from './imap-commands.ts'

export interface ImapServerOptions {
  user?: string
  password?: string
}

export interface KeptMail {
  uid: number
  flags: string[]
  raw: string
  at: number
}

/** A mailbox server for one user (RFC 3501, with UIDPLUS's MOVE) that says BAD to whatever the standard does not allow. */
export interface ImapServer extends AsyncDisposable {
  readonly host: string
  readonly port: number
  /**
   * Met by logins and by each mail that is fetched. `busy`: a login is refused. `hang-up`: the connection breaks before
   * the mail. `lost`: it breaks in the middle of it. `slow`: the mail comes late.
   */
  readonly faults: Faults
  /** What was said to it against the standard: nothing may. */
  readonly mistakes: string[]
  /** Mails that were handed out whole. */
  readonly fetched: number[]
  /** Puts a mail into the inbox and returns its UID. */
  deliver(raw: string, at?: number): number
  list(folder?: string): readonly KeptMail[]
  /** Gives all mails other UIDs, as a server does that was restored from a backup. */
  renumber(): void
}

interface Folder {
  validity: number
  next: number
  mails: KeptMail[]
}

/** Starts a mailbox server on a free port of this machine, without encryption. */
export async function openImapServer(options: ImapServerOptions = {}): Promise<ImapServer> {
  const { user = 'shop', password = 'sesame' } = options
  const folders = new Map<string, Folder>([['INBOX', { validity: 1, next: 1, mails: [] }]])
  const inbox = folders.get('INBOX')!
  const faults = new Faults()
  const mistakes: string[] = []
  const fetched: number[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    socket.setNoDelay(true)
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    const session = new Session({ socket, folders, faults, mistakes, fetched, user, password })
    session.begin()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    faults,
    mistakes,
    fetched,
    deliver(raw, at = Date.now()) {
      const uid = inbox.next++
      inbox.mails.push({ uid, flags: [], raw, at })
      return uid
    },
    list: (folder = 'INBOX') => folders.get(folder)?.mails ?? [],
    renumber() {
      inbox.validity++
      inbox.mails.forEach((mail) => (mail.uid += 1_000))
      inbox.next += 1_000
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

interface World {
  socket: Socket
  folders: Map<string, Folder>
  faults: Faults
  mistakes: string[]
  fetched: number[]
  user: string
  password: string
}

const ANYTIME = new Set(['CAPABILITY', 'NOOP', 'LOGOUT', 'ID'])
const BEFORE_LOGIN = new Set(['LOGIN', 'AUTHENTICATE'])
const WITH_FOLDER = new Set(['UID SEARCH', 'UID FETCH', 'UID STORE', 'UID MOVE', 'CLOSE'])
const CAPABILITIES = 'CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR ID MOVE UIDPLUS'
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

/** What was said is no command, or not now. */
class BadCommand extends Error {}

class Session {
  readonly #world: World
  #state: 'greeted' | 'in' | 'selected' = 'greeted'
  #folder: Folder | undefined
  #pending: Buffer = Buffer.alloc(0)
  #line = ''
  #literals: string[] = []
  #literal: number | undefined
  #turn: Promise<void> = Promise.resolve()
  /** Takes the next line instead of a command. */
  #continue: ((line: string) => void) | undefined

  constructor(world: World) {
    this.#world = world
  }

  begin(): void {
    this.#say(`* OK [${CAPABILITIES}] ready`)
    this.#world.socket.on('data', (data: Buffer) => {
      this.#pending = Buffer.concat([this.#pending, data])
      this.#read()
    })
  }

  #say(line: string): void {
    this.#world.socket.write(`${line}\r\n`)
  }

  #read(): void {
    for (;;) {
      if (this.#literal !== undefined) {
        if (this.#pending.length < this.#literal) return
        this.#literals.push(this.#pending.subarray(0, this.#literal).toString())
        this.#pending = this.#pending.subarray(this.#literal)
        this.#literal = undefined
      }
      const end = this.#pending.indexOf('\r\n')
      if (end < 0) return
      const text = this.#pending.subarray(0, end).toString()
      this.#pending = this.#pending.subarray(end + 2)
      const length = /\{(\d+)\}$/.exec(text)
      if (length) {
        this.#line += text.replace(/\{\d+\}$/, '{literal}')
        this.#literal = Number(length[1])
        this.#say('+ go on')
        continue
      }
      const line = this.#line + text
      const literals = this.#literals
      this.#line = ''
      this.#literals = []
      if (this.#continue) this.#continue(line)
      else this.#turn = this.#turn.then(() => this.#answer(line, literals))
    }
  }

  async #answer(line: string, literals: readonly string[]): Promise<void> {
    const command = parseImapCommand(line, literals)
    if (!command) return this.#refuse('*', line, 'no command')
    try {
      this.#mustBeNow(command)
      const text = await this.#do(command)
      this.#say(`${command.tag} ${text}`)
      if (command.name === 'LOGOUT') this.#world.socket.end()
    } catch (error) {
      if (error instanceof BadCommand) this.#refuse(command.tag, line, error.message)
      else this.#world.socket.destroy()
    }
  }

  #refuse(tag: string, line: string, why: string): void {
    this.#world.mistakes.push(`${why}: ${line.slice(0, 200)}`)
    this.#say(`${tag} BAD ${why}`)
  }

  #mustBeNow({ name }: ImapCommand): void {
    if (ANYTIME.has(name)) return
    if (BEFORE_LOGIN.has(name) !== (this.#state === 'greeted')) throw new BadCommand('not now')
    if (WITH_FOLDER.has(name) && this.#state !== 'selected') throw new BadCommand('no folder is open')
  }

  async #do({ tag, name, values }: ImapCommand): Promise<string> {
    switch (name) {
      case 'CAPABILITY':
        this.#say(`* ${CAPABILITIES}`)
        return 'OK done'
      case 'NOOP':
        return 'OK done'
      case 'ID':
        this.#say('* ID NIL')
        return 'OK done'
      case 'LOGOUT':
        this.#say('* BYE until next time')
        return 'OK done'
      case 'LOGIN':
        return this.#login(text(values[0]), text(values[1]))
      case 'AUTHENTICATE':
        return await this.#authenticate(values)
      case 'LIST':
      case 'LSUB':
        return this.#list(name, text(values[1]))
      case 'SUBSCRIBE':
        return 'OK done'
      case 'CREATE':
        return this.#create(text(values[0]))
      case 'SELECT':
      case 'EXAMINE':
        return this.#select(text(values[0]))
      case 'CLOSE':
        this.#state = 'in'
        return 'OK done'
      case 'UID SEARCH':
        return this.#search(values)
      case 'UID FETCH':
        return await this.#fetch(text(values[0]), values[1])
      case 'UID STORE':
        return this.#store(values)
      case 'UID MOVE':
        return this.#move(text(values[0]), text(values[1]))
      default:
        throw new BadCommand(`${name} of ${tag} is not known`)
    }
  }

  #login(user: string, password: string): string {
    if (this.#world.faults.take() === 'busy') return 'NO [UNAVAILABLE] try again later'
    if (user !== this.#world.user || password !== this.#world.password)
      return 'NO [AUTHENTICATIONFAILED] wrong'
    this.#state = 'in'
    return 'OK done'
  }

  async #authenticate([mechanism, initial]: ImapValue[]): Promise<string> {
    if (text(mechanism).toUpperCase() !== 'PLAIN') throw new BadCommand('no such mechanism')
    const answer =
      initial === undefined
        ? await new Promise<string>((resolve) => {
            this.#continue = resolve
            this.#say('+ ')
          })
        : text(initial)
    this.#continue = undefined
    const [, user = '', password = ''] = Buffer.from(answer, 'base64').toString().split('\0')
    return this.#login(user, password)
  }

  #list(name: string, pattern: string): string {
    const names = [...this.#world.folders.keys()]
    const fits = (folder: string) => pattern === '*' || pattern === '%' || pattern === folder
    if (pattern === '') this.#say(`* ${name} (\\Noselect) "/" ""`)
    else
      for (const folder of names.filter(fits)) this.#say(`* ${name} (\\HasNoChildren) "/" ${quoted(folder)}`)
    return 'OK done'
  }

  #create(name: string): string {
    const { folders } = this.#world
    if (folders.has(name)) return 'NO [ALREADYEXISTS] it is there'
    folders.set(name, { validity: 7, next: 1, mails: [] })
    return 'OK done'
  }

  #select(name: string): string {
    const folder = this.#world.folders.get(name)
    this.#state = 'in'
    this.#folder = undefined
    if (!folder) return 'NO [NONEXISTENT] no such folder'
    this.#state = 'selected'
    this.#folder = folder
    this.#say('* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)')
    this.#say('* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] may change')
    this.#say(`* ${folder.mails.length} EXISTS`)
    this.#say('* 0 RECENT')
    this.#say(`* OK [UIDVALIDITY ${folder.validity}] valid`)
    this.#say(`* OK [UIDNEXT ${folder.next}] next`)
    return 'OK [READ-WRITE] done'
  }

  #chosen(set: string): KeptMail[] {
    if (!/^(?:\d+|\*)(?::(?:\d+|\*))?(?:,(?:\d+|\*)(?::(?:\d+|\*))?)*$/.test(set))
      throw new BadCommand('no set of numbers')
    const { mails } = this.#folder!
    const last = mails.at(-1)?.uid ?? 0
    return mails.filter(({ uid }) => isInSet(set, uid, last))
  }

  #search(values: ImapValue[]): string {
    let found = [...this.#folder!.mails]
    for (let at = 0; at < values.length; at++) {
      const key = text(values[at]).toUpperCase()
      if (key === 'ALL') continue
      const value = text(values[++at])
      if (key === 'UID') found = found.filter((mail) => this.#chosen(value).includes(mail))
      else if (key === 'SINCE') found = found.filter(({ at: received }) => received >= dayOf(value))
      else throw new BadCommand(`no search by ${key}`)
    }
    this.#say(`* SEARCH${found.map(({ uid }) => ` ${uid}`).join('')}`)
    return 'OK done'
  }

  async #fetch(set: string, wanted: ImapValue | undefined): Promise<string> {
    const items = (Array.isArray(wanted) ? wanted : [wanted]).map((item) => text(item).toUpperCase())
    const known = /^(?:UID|FLAGS|INTERNALDATE|RFC822\.SIZE|BODY\.PEEK\[\](?:<\d+\.\d+>)?)$/
    const odd = items.find((item) => !known.test(item))
    // BODY[] without PEEK marks what people have not read yet as read.
    if (odd) throw new BadCommand(`may not fetch ${odd}`)
    const { mails } = this.#folder!
    for (const mail of this.#chosen(set)) await this.#send(mail, mails.indexOf(mail) + 1, items)
    return 'OK done'
  }

  async #send(mail: KeptMail, position: number, items: readonly string[]): Promise<void> {
    const { socket, faults, fetched } = this.#world
    const body = items.find((item) => item.startsWith('BODY'))
    const fault = body && faults.take()
    if (fault === 'hang-up') return void socket.destroy()
    if (typeof fault === 'object') await sleep(fault.slow)
    const facts = [`UID ${mail.uid}`]
    if (items.includes('FLAGS')) facts.push(`FLAGS (${mail.flags.join(' ')})`)
    if (items.includes('INTERNALDATE')) facts.push(`INTERNALDATE "${dateOf(mail.at)}"`)
    if (items.includes('RFC822.SIZE')) facts.push(`RFC822.SIZE ${Buffer.byteLength(mail.raw)}`)
    if (!body) return this.#say(`* ${position} FETCH (${facts.join(' ')})`)
    const [, from, length] = /<(\d+)\.(\d+)>/.exec(body) ?? []
    const raw = Buffer.from(mail.raw)
    const part = from === undefined ? raw : raw.subarray(Number(from), Number(from) + Number(length))
    const origin = from === undefined ? '' : `<${from}>`
    socket.write(`* ${position} FETCH (${facts.join(' ')} BODY[]${origin} {${part.length}}\r\n`)
    if (fault === 'lost') {
      socket.write(part.subarray(0, part.length / 2), () => socket.destroy())
      await new Promise(() => {})
    }
    socket.write(part)
    socket.write(')\r\n')
    fetched.push(mail.uid)
  }

  #store([set, how, flags]: ImapValue[]): string {
    if (!/^[+]FLAGS(?:\.SILENT)?$/i.test(text(how)) || !Array.isArray(flags))
      throw new BadCommand('flags are only added here')
    for (const mail of this.#chosen(text(set)))
      mail.flags = [...new Set([...mail.flags, ...flags.map((flag) => text(flag))])]
    return 'OK done'
  }

  #move(set: string, name: string): string {
    const to = this.#world.folders.get(name)
    if (!to) return 'NO [TRYCREATE] no such folder'
    const folder = this.#folder!
    for (const mail of this.#chosen(set)) {
      const position = folder.mails.indexOf(mail)
      folder.mails.splice(position, 1)
      to.mails.push({ ...mail, uid: to.next++ })
      this.#say(`* ${position + 1} EXPUNGE`)
    }
    return 'OK done'
  }
}

function text(value: ImapValue | undefined): string {
  if (typeof value !== 'string') throw new BadCommand('a word is missing')
  return value
}

const quoted = (name: string) => `"${name.replaceAll(/["\\]/g, '\\$&')}"`

/** `22-Nov-2026` as the beginning of that day. */
function dayOf(date: string): number {
  const [, day, month, year] = /^(\d{1,2})-([A-Z][a-z]{2})-(\d{4})$/.exec(date) ?? []
  if (!day || !month || !year) throw new BadCommand('no date')
  return Date.UTC(Number(year), MONTHS.indexOf(month), Number(day))
}

function dateOf(at: number): string {
  const date = new Date(at)
  const two = (value: number) => String(value).padStart(2, '0')
  const day = String(date.getUTCDate()).padStart(2)
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(':')
  return `${day}-${MONTHS[date.getUTCMonth()]}-${date.getUTCFullYear()} ${time} +0000`
}
