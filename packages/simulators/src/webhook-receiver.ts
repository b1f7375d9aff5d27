import { createHmac, timingSafeEqual } from 'node:crypto'
import { openHttp } from './http-simulator.ts'
import type { HttpSimulator, SimulatedRequest } from './http-simulator.ts'

export interface WebhookReceiverOptions {
  secret: string
  now?(): number
}

/** A server of the shop that takes signed messages, each id once. */
export interface WebhookReceiver extends HttpSimulator {
  /** What was taken, by id; a message that came again is here once. */
  readonly taken: Map<string, unknown>
  /** Requests that were believed, those that came again included. */
  readonly requests: { id: string; again: boolean }[]
  /** Ids answered with 422 from now on. */
  readonly unwanted: Set<string>
}

const window = 5 * 60_000

/** Opens a receiver that refuses what is not signed (401), and what was signed more than five minutes ago (400). */
export async function openWebhookReceiver({
  secret,
  now = Date.now,
}: WebhookReceiverOptions): Promise<WebhookReceiver> {
  const taken = new Map<string, unknown>()
  const requests: WebhookReceiver['requests'] = []
  const unwanted = new Set<string>()
  const http = await openHttp((request) => {
    const refusal = check(request, { secret, now: now() })
    if (refusal) return { status: refusal.status, body: { error: refusal.error } }
    const id = request.headers['x-webhook-id'] as string
    if (unwanted.has(id)) return { status: 422, body: { error: 'not wanted' } }
    requests.push({ id, again: taken.has(id) })
    if (!taken.has(id)) taken.set(id, JSON.parse(new TextDecoder().decode(request.body)))
    return { status: 202, body: { id } }
  })
  return Object.assign(http, { taken, requests, unwanted })
}

function check(
  { method, headers, body }: SimulatedRequest,
  { secret, now }: { secret: string; now: number },
): { status: number; error: string } | undefined {
  if (method !== 'POST' || !headers['content-type']?.startsWith('application/json'))
    return { status: 415, error: 'POST with JSON is needed' }
  const { 'x-webhook-id': id = '', 'x-webhook-timestamp': timestamp = '' } = headers
  const wanted = Buffer.from(
    `v1=${createHmac('sha256', secret).update(`${id}.${timestamp}.`).update(body).digest('hex')}`,
  )
  const given = Buffer.from(headers['x-webhook-signature'] ?? '')
  if (id === '' || given.length !== wanted.length || !timingSafeEqual(given, wanted))
    return { status: 401, error: 'the signature is wrong' }
  if (!(Math.abs(Number(timestamp) * 1000 - now) <= window))
    return { status: 400, error: 'the timestamp is outside the window' }
  return undefined
}
