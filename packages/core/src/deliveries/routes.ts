import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import { answerJson } from '../http/answer.ts'
import { requireRole, type SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { audit } from '../people/audit.ts'
import { listAccounts, saveAccount, switchAccount } from './accounts.ts'
import { contactPolicySchema, readContactPolicy, writeContactPolicy } from './policy.ts'
import {
  cancelDelivery,
  channelRates,
  getDelivery,
  listDeliveries,
  replayDead,
  settleByHand,
} from './queries.ts'
import type { DeliveryContext } from './worker-context.ts'

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

const AccountId = z.object({ id: z.string().min(1).max(300) })
const Account = z.object({
  channel: z.string().min(1).max(200),
  name: z.string().trim().min(1).max(80),
  settings: z.record(z.string(), z.json()).default({}),
})

type ChannelDeps = RouteDeps & Pick<CoreContext, 'points'> & { deliveries: { context: DeliveryContext } }

/** Mounted at `/api/channels`. Settings of accounts go in and never come out. */
export function channelRoutes({ deliveries: { context }, ...deps }: ChannelDeps) {
  const { database, clock, points } = deps
  const note = async (userId: string, action: string, subject: string) => {
    await audit(database.db, clock, { userId, action, subject })
    deps.wake?.()
  }
  return new Hono<SignedIn>()
    .get('/', describeRoute({ tags, summary: 'Channels there are, and the accounts on them' }), async (c) => {
      const accounts = await listAccounts(database.db)
      const channels = points.channels.list().map(({ id, owner, value }) => ({
        id,
        title: owner.text(value.title as string),
        icon: value.icon ?? null,
        guarantee: value.guarantee,
        address: value.address,
        messages: value.messages,
        receipts: value.receipts ?? [],
        content: value.content,
        settings: value.settings ?? null,
        accounts: accounts.filter(({ channel }) => channel === id),
      }))
      return answerJson(c, { channels })
    })
    .post(
      '/accounts',
      describeRoute({ tags, summary: 'A new account, after the channel has tried its settings' }),
      requireRole('developer'),
      validate('json', Account),
      async (c) => {
        const account = await saveAccount(context, c.req.valid('json'))
        await note(c.get('user').id, 'channel-account.create', account.id)
        return answerJson(c, account, 201)
      },
    )
    .put(
      '/accounts/:id',
      describeRoute({ tags, summary: 'Other settings of an account' }),
      requireRole('developer'),
      validate('param', AccountId),
      validate('json', Account),
      async (c) => {
        const { id } = c.req.valid('param')
        const account = await saveAccount(context, { id, ...c.req.valid('json') })
        await note(c.get('user').id, 'channel-account.change', id)
        return answerJson(c, account)
      },
    )
    .post(
      '/accounts/:id/switch',
      describeRoute({ tags, summary: 'Use an account, or let its messages wait' }),
      requireRole('operator'),
      validate('param', AccountId),
      validate('json', z.object({ active: z.boolean() })),
      async (c) => {
        const { id } = c.req.valid('param')
        const account = await switchAccount(context, id, c.req.valid('json').active)
        await note(c.get('user').id, 'channel-account.switch', id)
        return answerJson(c, account)
      },
    )
}

/** Mounted at `/api/journeys`: what a draft would have done. */
export function rehearsalRoutes({ jobs }: Pick<CoreContext, 'jobs'>) {
  return new Hono<SignedIn>().post(
    '/rehearse',
    describeRoute({ tags: ['journeys'], summary: 'Run a definition over the past; the result is the job’s' }),
    requireRole('operator', 'analyst'),
    validate(
      'json',
      z.object({
        definition: z.record(z.string(), z.json()),
        days: z.int().min(1).max(365).default(90),
      }),
    ),
    async (c) => {
      const { id } = await jobs.enqueue({
        kind: 'journey-rehearsal',
        title: JSON.stringify({ en: 'Rehearsal of a journey', 'zh-CN': '旅程预演' }),
        payload: c.req.valid('json'),
      })
      return c.json({ jobId: id }, 202)
    },
  )
}
