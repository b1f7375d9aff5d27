import { createHash, createHmac } from 'node:crypto'
import type { SimulatedRequest } from './http-simulator.ts'

/** What the provider works out from a request as it came, to compare with what the client signed. */
export function aliyunSignature(
  { method, target, headers, body }: SimulatedRequest,
  { secret, signedHeaders }: { secret: string; signedHeaders: readonly string[] },
): { hash: string; signature: string } {
  const [pathname = '/', query = ''] = target.split('?', 2)
  const canonicalQuery = [...new URLSearchParams(query)]
    .map(([key, value]) => [escape(key), escape(value)] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map((pair) => pair.join('='))
    .join('&')
  const canonical = [
    method,
    pathname,
    canonicalQuery,
    ...signedHeaders.map((name) => `${name}:${(headers[name] ?? '').trim()}`),
    '',
    signedHeaders.join(';'),
    sha256(body),
  ].join('\n')
  const hash = sha256(canonical)
  const signature = createHmac('sha256', secret).update(`ACS3-HMAC-SHA256\n${hash}`).digest('hex')
  return { hash, signature }
}

export function sha256(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex')
}

function escape(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
