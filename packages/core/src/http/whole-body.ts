import { AppError, userError } from '@huitou/plugin-api'
import { createMiddleware } from 'hono/factory'
import { refuseOddText } from './odd-text.ts'

/** Longest body where a route does not say otherwise. */
const LIMIT = 1_048_576
/** A body of that size that takes longer is not on its way any more. */
const ARRIVAL_MS = 30_000

/** Routes that take files or events, and limit them themselves. All others are read whole before they are called. */
const OWN_LIMITS: [method: string, path: RegExp][] = [
  ['POST', /^\/v1\//],
  ['*', /^\/hooks\//],
  ['POST', /^\/u\/[^/]+$/],
  ['POST', /^\/api\/imports$/],
  ['POST', /^\/api\/assets$/],
  ['POST', /^\/api\/plugins\/upload$/],
  ['POST', /^\/api\/collections\/[^/]+\/import$/],
]

export interface BodyLimits {
  bytes?: number
  arrivalMs?: number
}

/**
 * Reads the body of every request whole, before anybody is asked who sent it, and refuses what is too long, too slow,
 * nested beyond reason, or holds characters that no database keeps. A route is covered without asking for it.
 */
export function wholeBodies({ bytes = LIMIT, arrivalMs = ARRIVAL_MS }: BodyLimits = {}) {
  return createMiddleware(async (c, next) => {
    const { method, raw, path } = c.req
    if (/%00/.test(raw.url))
      throw userError('E_CHARACTER', 'The address holds a character that is never part of one')
    if (method !== 'GET' && method !== 'HEAD' && !limitsItself(method, path)) {
      const body = await readBody(raw, { bytes, arrivalMs })
      if (body.length > 0 && /json/i.test(raw.headers.get('Content-Type') ?? '')) refuseOddText(body)
      // What has been read cannot be read again, so those behind get a request of their own.
      const whole = body.length > 0 ? body : null
      c.req.raw = new Request(raw.url, { method, headers: raw.headers, body: whole, signal: raw.signal })
    }
    await next()
  })
}

function limitsItself(method: string, path: string): boolean {
  return OWN_LIMITS.some(([own, pattern]) => (own === '*' || own === method) && pattern.test(path))
}

async function readBody(
  { headers, body }: Request,
  { bytes, arrivalMs }: Required<BodyLimits>,
): Promise<Uint8Array<ArrayBuffer>> {
  const tooLarge = () =>
    userError('E_BODY_TOO_LARGE', `A request to this address may hold ${Math.floor(bytes / 1_024)} KB`, {
      status: 413,
    })
  if (Number(headers.get('Content-Length') ?? 0) > bytes) throw tooLarge()
  if (!body) return new Uint8Array()
  const reader = body.getReader()
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(
    () =>
      late.reject(new AppError('user', 'E_BODY_SLOW', 'The body did not arrive in time', { status: 408 })),
    arrivalMs,
  )
  const chunks: Uint8Array[] = []
  try {
    for (let size = 0; ;) {
      const { done, value } = await Promise.race([reader.read(), late.promise])
      if (done) return new Uint8Array(Buffer.concat(chunks))
      size += value.byteLength
      if (size > bytes) throw tooLarge()
      chunks.push(value)
    }
  } catch (error) {
    void reader.cancel().catch(() => {})
    throw error
  } finally {
    clearTimeout(timer)
  }
}
