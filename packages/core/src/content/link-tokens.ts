import { createHmac, randomBytes } from 'node:crypto'
import type { Db, Tx } from '../db/database.ts'
import { insertRows } from '../db/insert-rows.ts'
import { findSetting } from '../settings/brand.ts'

/** Seals what must not lie readable in the database. */
interface Box {
  seal(text: string): string
  open(sealed: string): string
}

const SETTING = 'linkKey'
const DAY = 86_400_000
/** Links to pages lead somewhere this long. */
const PAGE_DAYS = 180
/** The law asks for 30 days at least; people look for it much later. */
const UNSUBSCRIBE_DAYS = 1_095
const LENGTH = 11
const LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Key that tokens are made with, the same on every node; made at first use. */
export async function readLinkKey(db: Db | Tx, box: Box): Promise<string> {
  const known = await findSetting(db, SETTING)
  if (typeof known === 'string') return box.open(known)
  await db
    .insertInto('settings')
    .values({ name: SETTING, value: JSON.stringify(box.seal(randomBytes(32).toString('base64url'))) })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute()
  return box.open(String(await findSetting(db, SETTING)))
}

export interface NewLink {
  token: string
  kind: 'page' | 'unsubscribe'
  delivery_id: number
  url: string | null
}

/** Addresses that stand in one message. Asked again for the same message they are the same. */
export class MessageLinks {
  readonly #key: string
  readonly #publicUrl: string
  readonly #delivery: { id: number; key: string }
  readonly #made = new Map<string, NewLink>()

  constructor(key: string, publicUrl: string, delivery: { id: number; key: string }) {
    this.#key = key
    this.#publicUrl = publicUrl.replace(/\/+$/, '')
    this.#delivery = delivery
  }

  /** A short address that leads to `url` and counts who follows it. Addresses of our own stay as they are. */
  page(url: string): string {
    if (url.startsWith(`${this.#publicUrl}/`)) return url
    return `${this.#publicUrl}/l/${this.#make('page', url)}`
  }

  unsubscribe(): string {
    return `${this.#publicUrl}/u/${this.#make('unsubscribe', null)}`
  }

  /** Those that `text` contains: what was made and not used is forgotten. */
  usedIn(text: string): NewLink[] {
    return [...this.#made.values()].filter(({ token }) => text.includes(token))
  }

  #make(kind: NewLink['kind'], url: string | null): string {
    const name = `${kind}\n${url ?? ''}`
    const known = this.#made.get(name)
    if (known) return known.token
    const digest = createHmac('sha256', this.#key).update(`${this.#delivery.key}\n${name}`).digest()
    const token = toLetters(digest.readBigUInt64BE(0) ^ (digest.readBigUInt64BE(8) << 1n))
    this.#made.set(name, { token, kind, url, delivery_id: this.#delivery.id })
    return token
  }
}

/** Eleven letters: some 65 bits that nobody guesses, short enough for a text message. */
function toLetters(value: bigint): string {
  let left = value
  let text = ''
  for (let index = 0; index < LENGTH; index++) {
    text += LETTERS[Number(left % 62n)]
    left /= 62n
  }
  return text
}

export async function saveLinks(tx: Tx, links: readonly NewLink[], now: number): Promise<void> {
  await insertRows(tx, 'message_links', {
    rows: links.map((link) => ({
      ...link,
      created_at: now,
      expires_at: now + (link.kind === 'page' ? PAGE_DAYS : UNSUBSCRIBE_DAYS) * DAY,
    })),
    columns: {
      token: 'text',
      kind: 'text',
      delivery_id: 'integer',
      url: 'text',
      created_at: 'integer',
      expires_at: 'integer',
    },
    conflict: { columns: ['token'], then: 'keep' },
  })
}
