import { userError } from '@huitou/plugin-api'
import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import { answerJson } from '../http/answer.ts'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { audit } from '../people/audit.ts'
import { checkDraft, listVariables, previewDraft, sendTest } from './content-queries.ts'
import type { DeliveryContext } from './worker-context.ts'

const tags = ['content']
const draft = {
  channel: z.string().min(1).max(200),
  content: z.record(z.string().max(100), z.json()).optional(),
  template: z.string().max(60).optional(),
}
const reader = {
  account: z.string().max(300).optional(),
  customerId: z.int().positive().optional(),
  locale: z.string().max(20).optional(),
  event: z.string().max(200).optional(),
}
const Check = z.object({ ...draft, events: z.array(z.string().max(200)).max(50).optional() })
const Preview = z.object({ ...draft, ...reader })
const TestSend = z.object({
  ...draft,
  ...reader,
  address: z.string().trim().min(1).max(300).optional(),
})

type RouteDeps = Pick<CoreContext, 'database' | 'clock' | 'points' | 'brand'> & {
  deliveries: { context: DeliveryContext }
}

/** Mounted at `/api/content`: what helps while a message is written. */
export function contentRoutes(deps: RouteDeps) {
  const { database, clock, deliveries } = deps
  return new Hono<SignedIn>()
    .get(
      '/variables',
      describeRoute({ tags, summary: 'What may stand in a text, with examples' }),
      validate(
        'query',
        z.object({ journeyId: z.string().max(60).optional(), event: z.string().max(200).optional() }),
      ),
      async (c) => answerJson(c, { variables: await listVariables(deps, c.req.valid('query')) }),
    )
    .post(
      '/check',
      describeRoute({ tags, summary: 'What is wrong with a content, field by field' }),
      validate('json', Check),
      async (c) => answerJson(c, await checkDraft(deps, c.req.valid('json'))),
    )
    .post(
      '/preview',
      describeRoute({ tags, summary: 'A message as one customer would read it' }),
      validate('json', Preview),
      async (c) => answerJson(c, await previewDraft(deliveries.context, c.req.valid('json'))),
    )
    .post(
      '/test-send',
      describeRoute({ tags, summary: 'Send one message at once, to see it where it is read' }),
      validate('json', TestSend),
      async (c) => {
        const input = c.req.valid('json')
        if (input.customerId === undefined && input.address === undefined)
          throw userError('E_TEST_ADDRESS', 'A test needs a customer or an address', {
            hint: 'Name an address to send the test to, or choose a customer.',
          })
        const result = await sendTest(deliveries.context, input)
        await audit(database.db, clock, {
          userId: c.get('user').id,
          action: 'content.test-send',
          subject: input.channel,
          details: { customerId: input.customerId, outcome: result.outcome },
        })
        return answerJson(c, result)
      },
    )
}
