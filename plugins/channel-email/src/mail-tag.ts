import { createHmac, timingSafeEqual } from 'node:crypto'

/** A delivery as a mail names it. */
export interface NamedDelivery {
  messageId: string
  key: string
}

/** What the standard leaves for the part before the `@`. */
const localLimit = 64

/**
 * The Message-ID of a delivery: the same however often it is sent, and it names the delivery to whoever reports. With
 * a `secret` it is signed, so that nobody can report on mails that he never saw.
 */
export function messageIdOf(key: string, from: string, secret?: string): string {
  const signature = secret ? `.${sign(key, secret)}` : ''
  return `<ht.${Buffer.from(key).toString('base64url')}${signature}@${from.split('@').at(-1)}>`
}

/** The first Message-ID of ours, signed with `secret`, among those in a header field. */
export function findMessageId(field: string, secret: string): NamedDelivery | undefined {
  for (const [messageId, name, signature] of field
    .slice(0, 20_000)
    .matchAll(/<ht\.([\w-]{1,600})\.([0-9a-f]{16})@[^\s<>@]{1,255}>/g)) {
    const key = Buffer.from(name!, 'base64url').toString()
    if (isSigned(key, signature!, secret)) return { messageId, key }
  }
  return undefined
}

/**
 * Where the bounce of this one mail goes, `bounces+ht-…@example.com`, for servers that change the Message-ID or do not
 * give it back. Undefined for a key that does not fit into an address. Letters are small: some servers make them so.
 */
export function bounceAddressOf(key: string, address: string, secret: string): string | undefined {
  const at = address.lastIndexOf('@')
  const number = BigInt(`0x${Buffer.from(key).toString('hex') || '0'}`).toString(36)
  const local = `${address.slice(0, at)}+ht-${number}-${sign(key, secret)}`
  return local.length <= localLimit ? `${local}${address.slice(at)}` : undefined
}

/** The delivery whose own bounce address stands in a header field. */
export function findBounceAddress(field: string, secret: string): NamedDelivery | undefined {
  const found = /\+ht-([0-9a-z]{1,60})-([0-9a-f]{16})@([\w.-]{1,255})/i.exec(field.slice(0, 20_000))
  if (!found) return undefined
  const [, number, signature, domain] = found.map((part) => part.toLowerCase())
  const hex = [...number!].reduce((sum, digit) => sum * 36n + BigInt(parseInt(digit, 36)), 0n).toString(16)
  const key = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString()
  return isSigned(key, signature!, secret)
    ? { messageId: messageIdOf(key, `@${domain}`, secret), key }
    : undefined
}

function sign(key: string, secret: string): string {
  return createHmac('sha256', secret).update(`mail ${key}`).digest('hex').slice(0, 16)
}

function isSigned(key: string, signature: string, secret: string): boolean {
  return timingSafeEqual(Buffer.from(sign(key, secret)), Buffer.from(signature))
}
