import { createHmac, timingSafeEqual } from 'node:crypto'

/** Older requests are not believed: somebody may have kept one to send it again. */
const windowMs = 5 * 60_000

/** Headers that prove who sent `body` under `id`, and when. The id stays the same however often it is sent. */
export function signedHeaders(
  { id, body, now }: { id: string; body: string | Uint8Array; now: number },
  secret: string,
): Record<string, string> {
  const timestamp = String(Math.floor(now / 1000))
  return {
    'x-webhook-id': id,
    'x-webhook-timestamp': timestamp,
    'x-webhook-signature': signatureOf({ id, timestamp, body }, secret),
  }
}

/** Whether a request carries a signature made with `secret` within the last minutes. */
export function isSigned(
  { headers, body, now }: { headers: Readonly<Record<string, string>>; body: Uint8Array; now: number },
  secret: string,
): boolean {
  const { 'x-webhook-id': id = '', 'x-webhook-timestamp': timestamp = '' } = headers
  const wanted = Buffer.from(signatureOf({ id, timestamp, body }, secret))
  const given = Buffer.from(headers['x-webhook-signature'] ?? '')
  const isFresh = Math.abs(Number(timestamp) * 1000 - now) <= windowMs
  return id !== '' && isFresh && given.length === wanted.length && timingSafeEqual(given, wanted)
}

function signatureOf(
  { id, timestamp, body }: { id: string; timestamp: string; body: string | Uint8Array },
  secret: string,
): string {
  return `v1=${createHmac('sha256', secret).update(`${id}.${timestamp}.`).update(body).digest('hex')}`
}
