import type { EventBody, EventCall } from '../events/normalize.ts'
import { normalizeEmail, normalizePhone } from '../people/contact-forms.ts'

/** One name a customer goes by. */
export interface Identifier {
  kind: string
  value: string
}

/** Kinds that name a person, the most telling first; the order also picks a customer's `key`. */
const STRONG_KINDS = [
  'user_id',
  'member_id',
  'union_id',
  'external_userid',
  'phone',
  'email',
  'open_id',
  'buyer_id',
] as const

/** Traits that are identifiers as well, by their common spellings. */
const TRAIT_KINDS: Record<string, string> = {
  phone: 'phone',
  mobile: 'phone',
  email: 'email',
  unionid: 'union_id',
  union_id: 'union_id',
  unionId: 'union_id',
  external_userid: 'external_userid',
}

/** Rank of a kind; `buyer_id:tmall` ranks as `buyer_id`. Unknown kinds rank last among the strong or are weak. */
export function rankOf(kind: string): number {
  const base = kind.split(':', 1)[0] ?? kind
  const rank = (STRONG_KINDS as readonly string[]).indexOf(base)
  return rank < 0 ? STRONG_KINDS.length : rank
}

/**
 * Whether two events that share this identifier are one person's for certain. Device and browser ids are shared
 * by families and shops' tablets, so they only say "probably".
 */
export function isStrong(kind: string): boolean {
  return rankOf(kind) < STRONG_KINDS.length
}

/**
 * Identifiers an event carries, strong ones first in a fixed order. Masked values (`138****2046`), which
 * marketplaces put in place of a phone, name nobody and are left out.
 */
export function identifiersOf(type: EventCall, body: EventBody): readonly Identifier[] {
  let found = read.get(body)
  if (!found) read.set(body, (found = readIdentifiers(type, body)))
  return found
}

/** Several stages of the fold ask about one event. */
const read = new WeakMap<EventBody, readonly Identifier[]>()

function readIdentifiers(type: EventCall, body: EventBody): Identifier[] {
  const found: Identifier[] = []
  const add = (kind: string, value: unknown) => {
    const normal = normalizeIdentifier(kind, value)
    if (normal === undefined) return
    if (!found.some((other) => other.kind === kind && other.value === normal))
      found.push({ kind, value: normal })
  }
  add('user_id', body.userId)
  add('anonymous_id', body.anonymousId)
  for (const { type: kind, id } of body.externalIds ?? []) add(kind.toLowerCase(), id)
  if (type === 'alias') {
    add('user_id', body.previousId)
    add('anonymous_id', body.previousId)
  }
  for (const [trait, kind] of Object.entries(TRAIT_KINDS)) {
    if (body.traits && Object.hasOwn(body.traits, trait)) add(kind, body.traits[trait])
  }
  return found.sort(
    (a, b) => rankOf(a.kind) - rankOf(b.kind) || compare(a.kind, b.kind) || compare(a.value, b.value),
  )
}

/** The form in which an identifier is compared; `undefined` when the value cannot name anyone. */
export function normalizeIdentifier(kind: string, value: unknown): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined
  const text = String(value).normalize('NFKC').trim()
  if (text === '' || text.length > 512) return undefined
  // Only what a person typed can be masked: a shop's own ids may well hold an asterisk.
  if ((kind === 'phone' || kind === 'email') && /[*#$]{2}/.test(text)) return undefined
  if (kind === 'email') return normalizeEmail(text)
  if (kind === 'phone') return normalizePhone(text)
  return text
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
