import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import type { CoreContext } from '../context.ts'
import { answerJson } from '../http/answer.ts'
import { requireRole, type SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { audit } from '../people/audit.ts'
import { readBudgetUse } from './budget-use.ts'
import { previewPolicy } from './policy-effect.ts'
import { contactPolicySchema, readContactPolicy, writeContactPolicy } from './policy.ts'
import { channelRates } from './queries.ts'

const tags = ['deliveries']

/** Mounted at `/api/contact-policy`. */
export function contactPolicyRoutes(deps: Pick<CoreContext, 'database' | 'clock' | 'points' | 'brand'>) {
  const { database, clock } = deps
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
    .post(
      '/preview',
      describeRoute({ tags, summary: 'What another policy would have made of the last 30 days’ messages' }),
      validate('json', contactPolicySchema),
      async (c) => {
        const current = await readContactPolicy(database.db)
        return answerJson(c, await previewPolicy(deps, { current, draft: c.req.valid('json') }))
      },
    )
    .get('/budgets', describeRoute({ tags, summary: 'What is used up of each quota' }), async (c) =>
      answerJson(c, { budgets: await readBudgetUse(deps) }),
    )
}
