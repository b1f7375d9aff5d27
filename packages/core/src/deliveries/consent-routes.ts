import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import { answerJson } from '../http/answer.ts'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { audit } from '../people/audit.ts'
import type { EventLog } from '../events/append.ts'
import { currentCustomerId } from '../profiles/queries.ts'
import { CONSENT_PURPOSES } from './consents.ts'
import { checkShown } from './consent-texts.ts'
import { changeConsent, readConsentsOf } from './customer-consents.ts'
import { markReachable, readUnreachable } from './reachability.ts'

const Id = z.object({ id: z.coerce.number().int().positive() })
const Change = z.object({
  /** Full id of a channel, or `*` for all of them. */
  channel: z.string().min(1).max(200),
  purpose: z.enum(CONSENT_PURPOSES).default('marketing'),
  state: z.enum(['granted', 'withdrawn']),
  /** What the customer said, and where; it is the evidence. */
  reason: z.string().trim().min(1).max(500),
  /** What the customer was shown, or what was read out to them. */
  text: z
    .object({ id: z.string().max(60), version: z.int().positive(), locale: z.string().max(20).optional() })
    .optional(),
})

type Deps = Pick<CoreContext, 'database' | 'clock'> & { events: EventLog }

/** Mounted at `/api/customers`. */
export function consentRoutes(deps: Deps) {
  const { database, clock } = deps
  return new Hono<SignedIn>()
    .get(
      '/:id{[0-9]+}/consents',
      describeRoute({ tags: ['customers'], summary: 'What a customer allows, and what that rests on' }),
      validate('param', Id),
      async (c) => {
        const customer = await currentCustomerId(database.db, c.req.valid('param').id)
        const unreachable = await readUnreachable(database.db, customer)
        return answerJson(c, { ...(await readConsentsOf(database.db, customer)), unreachable })
      },
    )
    .post(
      '/:id{[0-9]+}/consents',
      describeRoute({ tags: ['customers'], summary: 'Write down what a customer allowed, or took back' }),
      validate('param', Id),
      validate('json', Change),
      async (c) => {
        const customer = await currentCustomerId(database.db, c.req.valid('param').id)
        const change = c.req.valid('json')
        if (change.text) await checkShown(database.db, change.text)
        await changeConsent(deps, customer, { ...change, userId: c.get('user').id })
        await audit(database.db, clock, {
          userId: c.get('user').id,
          action: 'consent.change',
          subject: String(customer),
          details: { channel: change.channel, purpose: change.purpose, state: change.state },
        })
        return c.json({ accepted: true }, 202)
      },
    )
    .post(
      '/:id{[0-9]+}/reachable',
      describeRoute({
        tags: ['customers'],
        summary: 'Say that an address works after all that mail came back from',
      }),
      validate('param', Id),
      validate('json', z.object({ channel: z.string().min(1).max(200) })),
      async (c) => {
        const customer = await currentCustomerId(database.db, c.req.valid('param').id)
        const { channel } = c.req.valid('json')
        await markReachable(database.db, customer, channel)
        await audit(database.db, clock, {
          userId: c.get('user').id,
          action: 'customer.reachable',
          subject: String(customer),
          details: { channel },
        })
        return c.json({ accepted: true })
      },
    )
}
