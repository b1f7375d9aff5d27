import { AppError, notFound, userError } from '@huitou/plugin-api'
import { type Context, Hono } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { describeRoute } from 'hono-openapi'
import type { CoreContext } from '../context.ts'
import type { EventLog } from '../events/append.ts'
import type { NewEvent } from '../events/normalize.ts'
import { rememberRejected, type Rejection } from '../events/rejected.ts'
import { toNewEvent } from './convert.ts'

/** Larger than what any shop sends about one order. */
const BODY_LIMIT = 5 * 1_024 ** 2

export interface HookDeps extends Pick<CoreContext, 'database' | 'clock' | 'points'> {
  events: EventLog
  /** Settings of a plugin by its full name, secrets included: signatures are checked with them. */
  pluginSettings(plugin: string): Promise<Record<string, unknown>>
}

/**
 * Webhooks of shops, mounted at `/hooks`: `/hooks/<plugin>/<path>`. The plugin checks the signature on the raw body
 * and says what to answer; its events are on disk before the answer leaves.
 */
export function hookRoutes({ database, clock, points, events, pluginSettings }: HookDeps) {
  return new Hono().all(
    '/:plugin/:path{.+}',
    describeRoute({ tags: ['ingest'], summary: 'A webhook of a plugin', security: [] }),
    async (c) => {
      const { plugin, path } = c.req.param()
      const entry = points.sources
        .list()
        .find(
          ({ owner, value }) =>
            (owner.prefix === plugin || owner.plugin === plugin) &&
            value.webhooks?.some((hook) => isBelow(path, hook.path)),
        )
      if (!entry) throw notFound('Webhook', `${plugin}/${path}`)
      const answer = await entry.value.run.handleWebhook({
        path,
        method: c.req.method,
        headers: c.req.header(),
        body: await readBody(c),
        settings: await pluginSettings(entry.owner.plugin),
      })
      const source = `hook:${entry.owner.plugin}`
      const receivedAt = clock.now()
      const accepted: NewEvent[] = []
      const rejected: Rejection[] = []
      for (const event of answer.events ?? []) {
        const row = toNewEvent(event, source, receivedAt)
        if (row instanceof AppError) rejected.push({ source, at: receivedAt, error: row, message: event })
        else accepted.push(row)
      }
      await events.append(accepted)
      await rememberRejected(database.db, rejected)
      return toResponse(c, answer.status, answer.body)
    },
  )
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
