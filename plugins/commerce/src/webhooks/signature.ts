import { createHmac, timingSafeEqual } from 'node:crypto'

/** Whether `signature` is the base64 HMAC-SHA256 of `body` under one of the secrets. Empty secrets sign nothing. */
export function isSigned(body: Uint8Array, signature: string | undefined, secrets: unknown[]): boolean {
  if (!signature) return false
  const given = Buffer.from(signature, 'base64')
  return secrets.some((secret) => {
    if (typeof secret !== 'string' || secret === '') return false
    const expected = createHmac('sha256', secret).update(body).digest()
    return given.length === expected.length && timingSafeEqual(given, expected)
  })
}
