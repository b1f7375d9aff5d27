import type { PersonalText } from './personal-text.ts'

/** Personal data as everyone may see it: enough to recognise, too little to use. */
export function maskValue<T extends string | number | null>(
  value: T,
  { pii, logical }: { pii: boolean; logical: string },
): T | string {
  // A name is what people call a customer by; it is shown to everyone who may see customers at all.
  if (!pii || value === null || logical === 'name') return value
  if (/phone|mobile/i.test(logical)) return maskPhone(String(value))
  if (/e-?mail/i.test(logical)) return maskEmail(String(value))
  if (/birth/i.test(logical)) return maskTail(String(value), 5)
  return maskTail(String(value), 2)
}

export function maskIdentifier({ kind, value }: { kind: string; value: string }): string {
  if (kind === 'phone') return maskPhone(value)
  if (kind === 'email') return maskEmail(value)
  return value
}

/** JSON of an event with what is personal in it masked: by name, and whatever looks like a phone or an e-mail address. */
export function maskProperties<T>(personal: PersonalText, value: T, name = '', isHidden = false): T {
  const hidden = isHidden || (name !== '' && personal.isPersonalName(name))
  if (typeof value === 'string') return maskText(personal, value, hidden) as T
  if (typeof value === 'number')
    return (personal.isPersonalNumber(name, value) ? maskPhone(String(value)) : value) as T
  if (Array.isArray(value))
    return value.map((each) => maskProperties(personal, each, name, hidden) as unknown) as T
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, inner]) => [
    key,
    maskProperties(personal, inner, key, hidden),
  ])
  return Object.fromEntries(entries) as T
}

/** Where something was masked: `receiver.phone`, `items.0.note`. */
export function maskedPlaces(value: unknown, shown: unknown, at = ''): string[] {
  if (value === shown) return []
  if (typeof value !== 'object' || value === null || typeof shown !== 'object' || shown === null) return [at]
  return Object.entries(value).flatMap(([name, inner]) =>
    maskedPlaces(inner, (shown as Record<string, unknown>)[name], at === '' ? name : `${at}.${name}`),
  )
}

function maskText(personal: PersonalText, text: string, isHidden: boolean): string {
  if (!isHidden && !personal.holdsContact(text)) return text
  const masked = text
    .replaceAll(/[^\s@<>"']+@[^\s@<>"']+/g, maskEmail)
    .replaceAll(/(?<!\d)\+?\d[\d -]{5,17}\d(?!\d)/g, (number) => maskPhone(number.replaceAll(/[ -]/g, '')))
  return isHidden && masked === text ? maskTail(text, 2) : masked
}

function maskPhone(phone: string): string {
  const local = phone.replace(/^\+86/, '')
  return local.length < 7 ? '****' : `${local.slice(0, 3)}****${local.slice(-4)}`
}

function maskEmail(email: string): string {
  const at = email.lastIndexOf('@')
  return at < 1 ? '***' : `${email.slice(0, 1)}***${email.slice(at)}`
}

/** Keeps the last characters, or the first half of a short text hidden. */
function maskTail(text: string, shown: number): string {
  return text.length <= shown ? '***' : `***${text.slice(-shown)}`
}
