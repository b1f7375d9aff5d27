import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import { answerJson } from '../http/answer.ts'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { audit } from '../people/audit.ts'
import { answerByHand } from './answer-by-hand.ts'
import { listDeliveries, summarizeDeliveries } from './delivery-log.ts'
import { cancelDelivery, getDelivery, replayDead, settleByHand } from './queries.ts'

const STATES = [
  'planned',
  'leased',
  'sent',
  'pending',
  'delivered',
  'read',
  'clicked',
  'replied',
  'bounced',
  'complained',
  'failed',
  'refused',
  'unknown',
  'dead',
  'done',
  'cancelled',
] as const

const DeliveryId = z.object({ id: z.coerce.number().int().positive() })
const time = z.coerce.number().int().nonnegative().optional()
const Filter = z.object({
  kind: z.enum(['message', 'action']).optional(),
  /** One, or several with commas between them. */
  state: z
    .string()
    .max(200)
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(STATES)).min(1))
    .optional(),
  reason: z.string().max(60).optional(),
  channel: z.string().max(200).optional(),
  journeyId: z.string().max(60).optional(),
  node: z.string().max(60).optional(),
  customerId: z.coerce.number().int().positive().optional(),
  from: time,
  to: time,
})
const Page = Filter.extend({
  before: z.coerce.number().int().positive().optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
})
const Replay = z.object({
  ids: z.array(z.int().positive()).min(1).max(1_000).optional(),
  channel: z.string().max(200).optional(),
})

const Answer = z.object({
  kind: z.enum(['delivered', 'read', 'clicked', 'replied', 'bounced', 'complained', 'unsubscribed']),
  /** Text of a reply, or the link that was followed. */
  detail: z.string().max(2_000).optional(),
})

const tags = ['deliveries']

type RouteDeps = Pick<CoreContext, 'database' | 'clock' | 'points' | 'brand'> & { wake?(): void }

/** Mounted at `/api/deliveries`. */
export function deliveryRoutes(deps: RouteDeps) {
  const { database, clock } = deps
  return new Hono<SignedIn>()
    .get(
      '/',
      describeRoute({ tags, summary: 'What was sent, what was not, and why; newest first' }),
      validate('query', Page),
      async (c) => {
        const { state: states, ...filter } = c.req.valid('query')
        return answerJson(c, await listDeliveries(database.db, { ...filter, states }))
      },
    )
    .get(
      '/summary',
      describeRoute({ tags, summary: 'How many there are by state, reason, channel and day' }),
      validate('query', Filter),
      async (c) => {
        const { state: states, ...filter } = c.req.valid('query')
        const { timeZone } = await deps.brand()
        return answerJson(c, await summarizeDeliveries(database.analytics, { ...filter, states }, timeZone))
      },
    )
    .get(
      '/:id{[0-9]+}',
      describeRoute({ tags, summary: 'One delivery with its history' }),
      validate('param', DeliveryId),
      async (c) => answerJson(c, await getDelivery(database.db, c.req.valid('param').id)),
    )
    .post(
      '/replay',
      describeRoute({ tags, summary: 'Try dead letters again' }),
      validate('json', Replay),
      async (c) => {
        const replayed = await replayDead(deps, c.req.valid('json'))
        await audit(database.db, clock, {
          userId: c.get('user').id,
          action: 'deliveries.replay',
          subject: 'deliveries',
          details: { replayed },
        })
        deps.wake?.()
        return c.json({ replayed })
      },
    )
    .post(
      '/:id{[0-9]+}/settle',
      describeRoute({ tags, summary: 'Say what became of a message that nobody knew of' }),
      validate('param', DeliveryId),
      validate('json', z.object({ outcome: z.enum(['sent', 'absent']) })),
      async (c) => {
        const { id } = c.req.valid('param')
        const { outcome } = c.req.valid('json')
        await settleByHand(deps, id, outcome)
        await audit(database.db, clock, {
          userId: c.get('user').id,
          action: 'delivery.settle',
          subject: String(id),
          details: { outcome },
        })
        deps.wake?.()
        return answerJson(c, await getDelivery(database.db, id))
      },
    )
    .post(
      '/:id{[0-9]+}/cancel',
      describeRoute({ tags, summary: 'Take back what has not gone out yet' }),
      validate('param', DeliveryId),
      async (c) => {
        await cancelDelivery(deps, c.req.valid('param').id)
        return answerJson(c, await getDelivery(database.db, c.req.valid('param').id))
      },
    )
    .post(
      '/:id{[0-9]+}/receipts',
      describeRoute({
        tags,
        summary: 'Answer a message in its customer’s name, on a channel that reaches nobody',
      }),
      validate('param', DeliveryId),
      validate('json', Answer),
      async (c) => {
        await answerByHand(deps, c.req.valid('param').id, c.req.valid('json'))
        deps.wake?.()
        return answerJson(c, await getDelivery(database.db, c.req.valid('param').id))
      },
    )
}

/** Mounted at `/api/journeys`: what a draft would have done. */
export function rehearsalRoutes({ jobs }: Pick<CoreContext, 'jobs'>) {
  return new Hono<SignedIn>()
    .post(
      '/rehearse',
      describeRoute({
        tags: ['journeys'],
        summary: 'Run a definition over the past; the result is the job’s',
      }),
      validate(
        'json',
        z.object({
          definition: z.record(z.string(), z.json()),
          days: z.int().min(1).max(365).default(90),
          /** Whose draft it is: one runs at a time, and the latest is found again. */
          journeyId: z.uuid().optional(),
        }),
      ),
      async (c) => {
        const { journeyId } = c.req.valid('json')
        const { id } = await jobs.enqueue({
          kind: 'journey-rehearsal',
          ...(journeyId ? { key: keyOf(journeyId) } : {}),
          title: JSON.stringify({ en: 'Rehearsal of a journey', 'zh-CN': '旅程预演' }),
          payload: c.req.valid('json'),
        })
        return c.json({ jobId: id }, 202)
      },
    )
    .get(
      '/:id/rehearsal',
      describeRoute({ tags: ['journeys'], summary: 'The latest rehearsal of this journey’s draft, or null' }),
      validate('param', z.object({ id: z.uuid() })),
      async (c) => {
        const job = await jobs.findByKey(keyOf(c.req.valid('param').id))
        if (!job) return c.json({ job: null })
        const { payload: _, ...shown } = job
        return c.json({ job: shown })
      },
    )
}

const keyOf = (journeyId: string) => `rehearsal:${journeyId}`
