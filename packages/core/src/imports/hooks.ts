import { AppError, notFound, userError } from '@huitou/plugin-api'
import type { Receipt, SourceEvent, WebhookContribution, WebhookRequest } from '@huitou/plugin-api'
import { type Context, Hono } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { describeRoute } from 'hono-openapi'
import type { CoreContext } from '../context.ts'
import type { EventLog } from '../events/append.ts'
import type { NewEvent } from '../events/normalize.ts'
import { rememberRejected, type Rejection } from '../events/rejected.ts'
import type { PointOwner } from '../points/points.ts'
import { toNewEvent } from './convert.ts'

/** What a channel may take to read what its provider reports. */
const CHANNEL_MS = 30_000
/** Larger than what any shop sends about one order. */
const BODY_LIMIT = 5 * 1_024 ** 2

export interface HookDeps extends Pick<CoreContext, 'database' | 'clock' | 'points'> {
  events: EventLog
  /** Takes what providers of messages report. */
  deliveries: { receive(channel: string, receipts: readonly Receipt[]): Promise<void> }
  /** Settings of a plugin by its full name, secrets included: signatures are checked with them. */
  pluginSettings(plugin: string): Promise<Record<string, unknown>>
}

/**
 * Webhooks of shops and of providers of messages, mounted at `/hooks`: `/hooks/<plugin>/<path>`. The plugin checks the
 * signature on the raw body and says what to answer; its events and receipts are on disk before the answer leaves.
 */
export function hookRoutes({ database, clock, points, events, deliveries, pluginSettings }: HookDeps) {
  const keepEvents = async (sent: readonly SourceEvent[], source: string) => {
    const receivedAt = clock.now()
    const accepted: NewEvent[] = []
    const rejected: Rejection[] = []
    for (const event of sent) {
      const row = toNewEvent(event, source, receivedAt)
      if (row instanceof AppError) rejected.push({ source, at: receivedAt, error: row, message: event })
      else accepted.push(row)
    }
    await events.append(accepted)
    await rememberRejected(database.db, rejected)
  }
  return new Hono().all(
    '/:plugin/:path{.+}',
    describeRoute({ tags: ['ingest'], summary: 'A webhook of a plugin', security: [] }),
    async (c) => {
      const { plugin, path } = c.req.param()
      const isAsked = isMeant.bind(null, plugin, path)
      const source = points.sources.list().find(isAsked)
      const channel = source ? undefined : points.channels.list().find(isAsked)
      const owner = (source ?? channel)?.owner
      if (!owner) throw notFound('Webhook', `${plugin}/${path}`)
      const request: WebhookRequest = {
        path,
        method: c.req.method,
        headers: c.req.header(),
        body: await readBody(c),
        settings: await pluginSettings(owner.plugin),
      }
      if (channel) {
        const context = { now: clock.now(), signal: AbortSignal.timeout(CHANNEL_MS) }
        const answer = (await channel.value.run.handleWebhook?.(request, context)) ?? { status: 404 }
        if (answer.receipts?.length) await deliveries.receive(channel.id, answer.receipts)
        return toResponse(c, answer.status, answer.body)
      }
      const answer = await source!.value.run.handleWebhook(request)
      await keepEvents(answer.events ?? [], `hook:${owner.plugin}`)
      return toResponse(c, answer.status, answer.body)
    },
  )
}

interface Listener {
  owner: PointOwner
  value: { webhooks?: readonly WebhookContribution[] }
}

/** Whether `/hooks/<plugin>/<path>` is one of its addresses; a plugin goes by its name, with or without publisher. */
function isMeant(plugin: string, path: string, { owner, value }: Listener): boolean {
  const isOwner = owner.plugin === plugin || owner.prefix === plugin.replaceAll('-', '_')
  return isOwner && (value.webhooks ?? []).some((hook) => isBelow(path, hook.path))
}

function isBelow(path: string, declared: string): boolean {
  const base = declared.replace(/^\/+|\/+$/g, '')
  return path === base || path.startsWith(`${base}/`)
}

function toResponse(c: Context, status: number, body: unknown): Response {
  const known = Number.isInteger(status) && status >= 200 && status <= 599 ? status : 500
  if (body === undefined || known === 204) return c.body(null, known as ContentfulStatusCode)
  return typeof body === 'string'
    ? c.text(body, known as ContentfulStatusCode)
    : c.json(body, known as ContentfulStatusCode)
}

async function readBody(c: Context): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of c.req.raw.body ?? []) {
    size += (chunk as Uint8Array).byteLength
    if (size > BODY_LIMIT)
      throw userError('E_BODY_TOO_LARGE', `The body may hold ${BODY_LIMIT / 1_024 ** 2} MB`, { status: 413 })
    chunks.push(chunk as Uint8Array)
  }
  return new Uint8Array(Buffer.concat(chunks))
}
