import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import { answerJson } from '../http/answer.ts'
import { requireRole, type SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { audit } from '../people/audit.ts'
import { contactPolicySchema, readContactPolicy, writeContactPolicy } from './policy.ts'
import {
  cancelDelivery,
  channelRates,
  getDelivery,
  listDeliveries,
  replayDead,
  settleByHand,
} from './queries.ts'

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
const Filter = z.object({
  state: z.enum(STATES).optional(),
  reason: z.string().max(60).optional(),
  channel: z.string().max(200).optional(),
  journeyId: z.string().max(60).optional(),
  customerId: z.coerce.number().int().positive().optional(),
  before: z.coerce.number().int().positive().optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
})
const Replay = z.object({
  ids: z.array(z.int().positive()).min(1).max(1_000).optional(),
  channel: z.string().max(200).optional(),
})

const tags = ['deliveries']

type RouteDeps = Pick<CoreContext, 'database' | 'clock'> & { wake?(): void }

/** Mounted at `/api/deliveries`. */
export function deliveryRoutes(deps: RouteDeps) {
  const { database, clock } = deps
  return new Hono<SignedIn>()
    .get(
      '/',
      describeRoute({ tags, summary: 'What was sent, what was not, and why; newest first' }),
      validate('query', Filter),
      async (c) => answerJson(c, await listDeliveries(database.db, c.req.valid('query'))),
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
      requireRole('operator'),
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
      requireRole('operator'),
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
      requireRole('operator'),
      validate('param', DeliveryId),
      async (c) => {
        await cancelDelivery(deps, c.req.valid('param').id)
        return answerJson(c, await getDelivery(database.db, c.req.valid('param').id))
      },
    )
}

/** Mounted at `/api/contact-policy`. */
export function contactPolicyRoutes({ database, clock }: RouteDeps) {
  return new Hono<SignedIn>()
    .get('/', describeRoute({ tags, summary: 'When and how often customers may be contacted' }), async (c) =>
      c.json(await readContactPolicy(database.db)),
    )
    .put(
      '/',
      describeRoute({ tags, summary: 'Another contact policy' }),
      requireRole('operator'),
      validate('json', contactPolicySchema),
      async (c) => {
        const policy = await writeContactPolicy(database.db, c.req.valid('json'))
        await audit(database.db, clock, {
          userId: c.get('user').id,
          action: 'contact-policy.change',
          subject: 'contact-policy',
        })
        return c.json(policy)
      },
    )
    .get('/rates', describeRoute({ tags, summary: 'How customers answer to each channel' }), async (c) => {
      const { fatigue } = await readContactPolicy(database.db)
      return c.json({ channels: await channelRates(database.db, fatigue?.unopened ?? 1_000_000) })
    })
}
