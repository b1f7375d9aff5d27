import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import { answerJson } from '../http/answer.ts'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { audit } from '../people/audit.ts'
import { checkRule, readScope } from '../segments/compile.ts'
import { readBudgetUse } from './budget-use.ts'
import { previewPolicy } from './policy-effect.ts'
import { type ContactPolicy, contactPolicySchema, readContactPolicy, writeContactPolicy } from './policy.ts'
import { channelRates } from './queries.ts'
import { readResponseHistory } from './response-history.ts'

const tags = ['deliveries']
const History = z.object({
  by: z.enum(['day', 'week']).default('week'),
  days: z.coerce.number().int().min(1).max(366).default(91),
  journeyId: z.string().max(60).optional(),
})

/** Mounted at `/api/contact-policy`. */
export function contactPolicyRoutes(deps: Pick<CoreContext, 'database' | 'clock' | 'points' | 'brand'>) {
  const { database, clock } = deps
  return new Hono<SignedIn>()
    .get('/', describeRoute({ tags, summary: 'When and how often customers may be contacted' }), async (c) =>
      answerJson(c, await readContactPolicy(database.db)),
    )
    .put(
      '/',
      describeRoute({ tags, summary: 'Another contact policy' }),
      validate('json', contactPolicySchema),
      async (c) => {
        const given = c.req.valid('json')
        await checkNewRules(deps, given)
        const policy = await writeContactPolicy(database.db, given)
        await audit(database.db, clock, {
          userId: c.get('user').id,
          action: 'contact-policy.change',
          subject: 'contact-policy',
        })
        return answerJson(c, policy)
      },
    )
    .get('/rates', describeRoute({ tags, summary: 'How customers answer to each channel' }), async (c) => {
      const { fatigue } = await readContactPolicy(database.db)
      return c.json({ channels: await channelRates(database.db, fatigue?.unopened ?? 1_000_000) })
    })
    .get(
      '/rates/history',
      describeRoute({ tags, summary: 'How customers answered over time, and how well staff keep up' }),
      validate('query', History),
      async (c) => answerJson(c, await readResponseHistory(deps, c.req.valid('query'))),
    )
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

/** Rules that were there before may name what has gone since: they stay, and fit nobody. */
async function checkNewRules(
  { database, brand, clock }: Pick<CoreContext, 'database' | 'brand' | 'clock'>,
  { choice }: ContactPolicy,
): Promise<void> {
  if (!choice || choice.rules.length === 0) return
  const { choice: stored } = await readContactPolicy(database.db)
  const known = new Set(stored?.rules.map(({ rule }) => JSON.stringify(rule)))
  const scope = await readScope(database.db, await brand(), { now: clock.now() })
  for (const { rule } of choice.rules) if (!known.has(JSON.stringify(rule))) checkRule(rule, scope)
}
