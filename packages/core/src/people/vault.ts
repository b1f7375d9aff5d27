import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  type KeyObject,
  randomFillSync,
} from 'node:crypto'
import { normalizeEmail, normalizePhone } from './contact-forms.ts'
import { PersonalText } from './personal-text.ts'
import { Recent } from './recent.ts'

/** One generation of keys: a key that seals, and one that makes the blind index. */
export interface KeyGeneration {
  id: string
  material: Uint8Array
}

interface Keys {
  id: string
  data: KeyObject
  blind: KeyObject
  /** There are few endings and domains, and many phones and addresses. */
  tails: Recent<string, string>
}

/** What a sealed text is: phone, e-mail, another text, or a JSON document. */
type Kind = 'p' | 'm' | 't' | 'd'

const MARK = '~e1'
/** Kind, blind index and its tail, key, and what is sealed. Documents have no blind index. */
const TOKEN = /("?)~e1(?:([pmt])\.([\w-]{28})|(d))\.([0-9a-z]+)\.([\w-]+)~("?)/g
/** Texts remembered in clear and sealed: what some thousand events name. */
const KEPT = 20_000
/** Characters of a sealed text that is worth remembering. */
const SHORT = 200
const NONCE = 12
const TAG = 16
/** Keys are looked at again this often while something is sealed; well within the time after which old ones go. */
const REFRESH_MS = 15_000
/** Characters of the mark, the kind and the blind index: what two sealed texts share when they are the same. */
export const HEAD_LENGTH = 27
const TAIL_LENGTH = 6

/**
 * Seals personal data with AES-256-GCM and opens it again. A sealed text stands in the database as
 * `~e1<kind>.<blind index><tail>.<key>.<nonce, text and tag>~`: the blind index is a keyed digest of the normalised
 * text, so that equality can be asked of the database; the tail is one of the last four digits of a phone number, or of
 * the domain of an e-mail address.
 *
 * Without keys it seals nothing and opens nothing.
 */
export class Vault {
  readonly personal = new PersonalText()
  #keys = new Map<string, Keys>()
  #newest: Keys | undefined
  #reload: (() => Promise<void>) | undefined
  #learnedAt = performance.now()
  /** Under the newest key; which texts are the same the blind index says anyway. */
  readonly #sealed = new Recent<string, string>(KEPT)
  readonly #opened = new Recent<string, string>(KEPT)
  readonly #random = Buffer.alloc(NONCE * 512)
  #randomUsed = this.#random.length

  /** The newest generation comes last; it seals. `reload` is asked when a text was sealed under a key not known here. */
  install(generations: readonly KeyGeneration[], reload?: () => Promise<void>): void {
    const keys = generations.map(({ id, material }) => ({
      id,
      data: createSecretKey(material.subarray(0, 32)),
      blind: createSecretKey(material.subarray(32, 64)),
      tails: new Recent<string, string>(KEPT),
    }))
    this.#keys = new Map(keys.map((key) => [key.id, key]))
    this.#newest = keys.at(-1)
    this.#sealed.clear()
    this.#opened.clear()
    this.#learnedAt = performance.now()
    if (reload) this.#reload = reload
  }

  /** Learns of keys that other nodes made or dropped. */
  async reload(): Promise<void> {
    await this.#reload?.()
  }

  get isOpen(): boolean {
    return this.#newest !== undefined
  }

  /** Name of the key that seals now. */
  get keyId(): string | undefined {
    return this.#newest?.id
  }

  /** The text, sealed whatever it holds. */
  sealText(text: string): string {
    const keys = this.#newest
    if (!keys || text === '') return text
    const known = this.#sealed.get(text)
    if (known !== undefined) return known
    const { kind, normal } = formOf(text)
    const head = `${MARK}${kind}.${blind(keys, kind, normal)}`
    return this.#sealed.set(text, this.#seal(keys, `${head}${tail(keys, kind, normal)}`, text))
  }

  /** JSON, sealed as a whole; what comes out is JSON again: one text. */
  sealDocument(json: string): string {
    return this.#newest ? `"${this.#seal(this.#newest, `${MARK}d`, json)}"` : json
  }

  /** JSON with its personal parts sealed and everything else as it was. */
  sealParts(json: string): string {
    if (!this.#newest || !this.personal.mayHold(json)) return json
    return JSON.stringify(this.#sealValue(JSON.parse(json), ''))
  }

  /** JSON, sealed as a whole when it holds something personal. */
  sealPersonalDocument(json: string): string {
    return this.#newest && this.personal.mayHold(json) ? this.sealDocument(json) : json
  }

  /** The text, sealed when it holds a phone number or an e-mail address. */
  sealPersonalText(text: string): string {
    return this.seals(text) ? this.sealText(text) : text
  }

  /** Whether {@link sealPersonalText} does something to the text. What only looks sealed is sealed like anything. */
  seals(text: string): boolean {
    return this.#newest !== undefined && (this.personal.holdsContact(text) || text.includes(MARK))
  }

  /** A text or JSON with everything sealed in it opened. What was sealed under a key that is not known stays as it is. */
  open(text: string): string {
    if (!text.includes(MARK)) return text
    return text.replaceAll(TOKEN, (whole, ...groups: string[]) => {
      const [before, kind, head, document, id, sealed, after] = groups
      const keys = this.#keys.get(id ?? '')
      const label = document ? `${MARK}d` : `${MARK}${kind}.${head}`
      const opened = keys && this.#unseal(keys, label, sealed ?? '')
      if (opened === undefined) return whole
      // A document takes the place of the JSON text that stood for it; a text stands within JSON as JSON has it.
      if (document) return before && after ? opened : `${before}${opened}${after}`
      return whole.length === text.length && !before
        ? opened
        : `${before}${JSON.stringify(opened).slice(1, -1)}${after}`
    })
  }

  /** Opens what rows hold, in place; asks for new keys once when it meets one it does not know. */
  async openRows(rows: readonly unknown[]): Promise<void> {
    const sealed = sealedPlaces(rows)
    if (sealed.length === 0) return
    if (this.#reload && sealed.some(({ row, name }) => this.#isUnknown(row[name] as string)))
      await this.#reload()
    for (const { row, name } of sealed) row[name] = this.open(row[name] as string)
  }

  /** Whether the text holds something that another key than the newest sealed. */
  isStale(text: string): boolean {
    if (!text.includes(MARK)) return false
    return [...text.matchAll(TOKEN)].some(([, , , , , id]) => id !== this.#newest?.id)
  }

  /** Whether any of the texts holds something sealed. */
  isSealedIn(texts: readonly string[]): boolean {
    return texts.some((text) => text.includes(MARK))
  }

  /** Names of the keys that what a text holds was sealed with, one for each sealed thing. */
  keysIn(text: string): string[] {
    return text.includes(MARK) ? [...text.matchAll(TOKEN)].map(([, , , , , id]) => id as string) : []
  }

  /** How many sealed things a text holds. */
  countSealed(text: string): number {
    return text.includes(MARK) ? [...text.matchAll(TOKEN)].length : 0
  }

  /** How everything that means the same as the text begins when it is sealed, under every key in use. */
  headsOf(text: string): string[] {
    const { kind, normal } = formOf(text)
    return [...this.#keys.values()].map((keys) => `${MARK}${kind}.${blind(keys, kind, normal)}`)
  }

  /** The tails of phone numbers that end in these four digits, under every key in use. */
  tailsOf(digits: string): string[] {
    return [...this.#keys.values()].map((keys) => tail(keys, 'p', digits))
  }

  /** Words by which a search index finds a sealed text without knowing it: whole, and by a phone's last four digits. */
  wordsOf(text: string): string[] {
    const keys = this.#newest
    if (!keys) return []
    const { kind, normal } = formOf(text)
    const words = [toWord('x', blind(keys, kind, normal))]
    return kind === 'p' ? [...words, toWord('y', tail(keys, kind, normal))] : words
  }

  /** The words of sealed texts that are the same as this one, or end in it, under every key in use. */
  wordsFor(search: string): string[] {
    const { kind, normal } = formOf(search)
    return [...this.#keys.values()].flatMap((keys) => [
      toWord('x', blind(keys, kind, normal)),
      ...(/^\d{4}$/.test(normal) ? [toWord('y', tail(keys, 'p', normal))] : []),
    ])
  }

  /** A digest of exactly this text, the newest key's first; for values that are compared as they stand. */
  digestsOf(text: string): string[] {
    return [...this.#keys.values()].toReversed().map((keys) => blind(keys, 'x', text))
  }

  /** The tail of a phone number under the newest key; undefined for other texts. */
  tailOf(text: string): string | undefined {
    const { kind, normal } = formOf(text)
    return this.#newest && kind === 'p' ? tail(this.#newest, kind, normal) : undefined
  }

  #isUnknown(text: string): boolean {
    return [...text.matchAll(TOKEN)].some(([, , , , , id]) => !this.#keys.has(id as string))
  }

  #sealValue(value: unknown, name: string): unknown {
    if (typeof value === 'string') {
      if (value === '') return value
      return this.personal.isPersonalName(name) ? this.sealText(value) : this.sealPersonalText(value)
    }
    if (typeof value === 'number')
      return this.personal.isPersonalNumber(name, value)
        ? JSON.parse(this.sealDocument(String(value)))
        : value
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return value.map((each) => this.#sealValue(each, name))
    if (name !== '' && this.personal.isPersonalName(name))
      return JSON.parse(this.sealDocument(JSON.stringify(value)))
    const sealed: Record<string, unknown> = {}
    for (const [key, inner] of Object.entries(value)) setOwn(sealed, key, this.#sealValue(inner, key))
    return sealed
  }

  /** Texts are met again and again within a batch: in the event, among the identifiers, in the profile. */
  #unseal(keys: Keys, label: string, sealed: string): string | undefined {
    if (sealed.length > SHORT) return unseal(keys, label, sealed)
    const token = `${label}.${keys.id}.${sealed}`
    const known = this.#opened.get(token)
    if (known !== undefined) return known
    const opened = unseal(keys, label, sealed)
    return opened === undefined ? undefined : this.#opened.set(token, opened)
  }

  #seal({ id, data }: Keys, label: string, text: string): string {
    this.#refresh()
    const nonce = this.#nonce()
    const cipher = createCipheriv('aes-256-gcm', data, nonce).setAAD(Buffer.from(label))
    const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
    return `${label}.${id}.${sealed.toString('base64url')}~`
  }

  /** A key that another node made is learned of while this one seals, and not only when it meets the key. */
  #refresh(): void {
    const now = performance.now()
    if (now - this.#learnedAt < REFRESH_MS) return
    this.#learnedAt = now
    // Whoever seals waits for nothing; a database that is away is asked again.
    void this.#reload?.().catch(() => {})
  }

  /** Random bytes are fetched many at a time: one by one they cost more than the cipher. */
  #nonce(): Buffer {
    if (this.#randomUsed === this.#random.length) {
      randomFillSync(this.#random)
      this.#randomUsed = 0
    }
    const nonce = Buffer.from(this.#random.subarray(this.#randomUsed, this.#randomUsed + NONCE))
    this.#randomUsed += NONCE
    return nonce
  }
}

/** The form in which a text is compared, and what it is. */
function formOf(text: string): { kind: Exclude<Kind, 'd'>; normal: string } {
  const plain = text.normalize('NFKC').trim()
  const phone = normalizePhone(plain)
  if (phone !== undefined) return { kind: 'p', normal: phone }
  const email = normalizeEmail(plain)
  return email === undefined ? { kind: 't', normal: plain } : { kind: 'm', normal: email }
}

function blind(keys: Keys, kind: string, normal: string): string {
  return createHmac('sha256', keys.blind).update(`${kind}:${normal}`).digest('base64url').slice(0, 22)
}

/** The last four digits, or the domain, under the same key; texts have none. */
function tail(keys: Keys, kind: Kind, normal: string): string {
  if (kind === 't') return '------'
  const part = kind === 'p' ? normal.slice(-4) : normal.slice(normal.lastIndexOf('@') + 1)
  const text = `tail ${kind}:${part}`
  const known = keys.tails.get(text)
  if (known !== undefined) return known
  const digest = createHmac('sha256', keys.blind).update(text).digest('base64url')
  return keys.tails.set(text, digest.slice(0, TAIL_LENGTH))
}

/** A digest as one word of small letters and digits, which no search index takes apart. */
function toWord(letter: string, digest: string): string {
  return letter + Buffer.from(digest, 'base64url').toString('hex')
}

function unseal({ data }: Keys, label: string, sealed: string): string | undefined {
  const bytes = Buffer.from(sealed, 'base64url')
  if (bytes.length < NONCE + TAG) return undefined
  try {
    const decipher = createDecipheriv('aes-256-gcm', data, bytes.subarray(0, NONCE)).setAAD(
      Buffer.from(label),
    )
    decipher.setAuthTag(bytes.subarray(-TAG))
    return Buffer.concat([decipher.update(bytes.subarray(NONCE, -TAG)), decipher.final()]).toString('utf8')
  } catch {
    // Somebody's own text that only looks like one of ours.
    return undefined
  }
}

function sealedPlaces(rows: readonly unknown[]): { row: Record<string, unknown>; name: string }[] {
  const places: { row: Record<string, unknown>; name: string }[] = []
  for (const row of rows) {
    if (typeof row !== 'object' || row === null) continue
    for (const name in row) {
      const value = (row as Record<string, unknown>)[name]
      if (typeof value === 'string' && value.includes(MARK))
        places.push({ row: row as Record<string, unknown>, name })
    }
  }
  return places
}

/** A property called `__proto__` is one like any other. */
function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  else target[key] = value
}
