import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { AppError, userError } from '@huitou/plugin-api'
import { type Context, Hono } from 'hono'
import { cors } from 'hono/cors'
import { describeRoute } from 'hono-openapi'
import type { CoreContext } from '../context.ts'
import type { EventLog } from './append.ts'
import type { Sender } from './consent-events.ts'
import { BATCH_LIMIT, EVENT_LIMIT, type EventCall, type NewEvent, normalizeMessage } from './normalize.ts'
import { rememberRejected, type Rejection } from './rejected.ts'
import { RequestRate } from './request-rate.ts'
import { WriteKeyDoor } from './write-keys.ts'

const unzip = promisify(gunzip)
const CALLS: EventCall[] = ['identify', 'track', 'page', 'screen', 'group', 'alias']

export interface IngestDeps extends Pick<CoreContext, 'database' | 'clock'> {
  events: EventLog
  /** Requests a second that one write key may send before it is asked to wait. */
  requestsPerSecond?: number
  onTaken?: ((taken: EventsTaken) => void) | undefined
}

/** Events of one request. */
export interface EventsTaken {
  accepted: number
  duplicates: number
  rejected: number
}

/**
 * The Segment protocol, mounted at `/v1`. A 200 means that the events are on disk; of a batch, what cannot be
 * taken is named in `rejected` and the rest is kept.
 */
export function ingestRoutes({
  database,
  clock,
  events,
  requestsPerSecond = 1_000,
  onTaken = () => {},
}: IngestDeps) {
  const door = new WriteKeyDoor(database.db, clock)
  const rate = new RequestRate(clock, requestsPerSecond)
  const app = new Hono().use(
    cors({
      origin: '*',
      allowHeaders: ['Authorization', 'Content-Type', 'Content-Encoding'],
      maxAge: 86_400,
    }),
  )

  async function admit(
    c: Context,
    limit: number,
  ): Promise<{ source: string; body: Record<string, unknown>; sender: Sender }> {
    const body = await readJson(c, limit)
    const source = await door.sourceOf(keyOf(c, body))
    const wait = rate.take(source)
    if (wait > 0) {
      c.header('Retry-After', String(Math.ceil(wait / 1_000)))
      c.header('X-RateLimit-Reset', String(Math.ceil((clock.now() + wait) / 1_000)))
      throw userError('E_RATE_LIMIT', `This source sends more than ${requestsPerSecond} requests a second`, {
        status: 429,
        hint: 'Wait as long as Retry-After says, or send batches.',
      })
    }
    const sender = { address: c.req.header('X-Forwarded-For'), agent: c.req.header('User-Agent') }
    return { source, body, sender }
  }

  for (const type of CALLS) {
    app.post(
      `/${type}`,
      describeRoute({ tags: ['ingest'], summary: `Segment ${type} call`, security: [{ writeKey: [] }] }),
      async (c) => {
        const { source, body, sender } = await admit(c, EVENT_LIMIT)
        const event = normalizeMessage({ ...body, type }, { source, receivedAt: clock.now(), sender })
        if (event instanceof AppError) {
          await rememberRejected(database.db, [{ source, at: clock.now(), error: event, message: body }])
          onTaken({ accepted: 0, duplicates: 0, rejected: 1 })
          throw event
        }
        onTaken({ ...(await events.append([event])), rejected: 0 })
        return c.json({ success: true })
      },
    )
  }

  app.post(
    '/batch',
    describeRoute({
      tags: ['ingest'],
      summary: 'Up to 500 KB of calls at once',
      security: [{ writeKey: [] }],
    }),
    async (c) => {
      const { source, body, sender } = await admit(c, BATCH_LIMIT)
      const batch = body['batch']
      if (!Array.isArray(batch)) throw userError('E_BATCH', 'A batch request needs an array "batch"')
      const { sentAt, context } = body
      const receipt = { source, receivedAt: clock.now(), sentAt, context, sender }
      const accepted: NewEvent[] = []
      const rejected: { index: number; code: string; message: string }[] = []
      const remember: Rejection[] = []
      batch.forEach((message: unknown, index) => {
        const event = normalizeMessage(message, receipt)
        if (event instanceof AppError) {
          rejected.push({ index, code: event.code, message: event.message })
          remember.push({ source, at: receipt.receivedAt, error: event, message })
        } else accepted.push(event)
      })
      const { duplicates } = await events.append(accepted)
      await rememberRejected(database.db, remember)
      onTaken({ accepted: accepted.length - duplicates, duplicates, rejected: rejected.length })
      return c.json({
        success: true,
        accepted: accepted.length - duplicates,
        duplicates,
        ...(rejected.length > 0 ? { rejected } : {}),
      })
    },
  )
  return app
}

async function readJson(c: Context, limit: number): Promise<Record<string, unknown>> {
  const bytes = await readBody(c, limit)
  try {
    const body: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (typeof body === 'object' && body !== null && !Array.isArray(body))
      return body as Record<string, unknown>
  } catch (cause) {
    throw userError(
      'E_JSON',
      `The body is not valid JSON: ${cause instanceof Error ? cause.message : 'unreadable'}`,
      { cause },
    )
  }
  throw userError('E_JSON', 'The body must be a JSON object')
}

async function readBody(c: Context, limit: number): Promise<Uint8Array> {
  const tooLarge = () =>
    userError('E_BODY_TOO_LARGE', `The body may hold ${limit / 1_024} KB`, { hint: 'Send smaller batches.' })
  if (Number(c.req.header('Content-Length') ?? 0) > limit) throw tooLarge()
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of c.req.raw.body ?? []) {
    size += (chunk as Uint8Array).byteLength
    if (size > limit) throw tooLarge()
    chunks.push(chunk as Uint8Array)
  }
  const bytes = Buffer.concat(chunks)
  if (c.req.header('Content-Encoding') !== 'gzip') return bytes
  try {
    return await unzip(bytes, { maxOutputLength: limit })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge()
    throw userError('E_GZIP', 'The body says it is gzip but cannot be unpacked', { cause })
  }
}

/** Basic with the key as user name, Bearer, or `writeKey` in the body. */
function keyOf(c: Context, body: Record<string, unknown>): string | undefined {
  const [scheme, credentials = ''] = (c.req.header('Authorization') ?? '').split(' ', 2)
  if (scheme?.toLowerCase() === 'bearer') return credentials
  if (scheme?.toLowerCase() === 'basic') return Buffer.from(credentials, 'base64').toString().split(':', 1)[0]
  return typeof body['writeKey'] === 'string' ? body['writeKey'] : undefined
}
