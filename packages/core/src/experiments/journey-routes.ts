import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import { answerJson } from '../http/answer.ts'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { readJourneyResults } from './journey-results.ts'

/** Mounted at `/api/journeys`: what they came to. */
export function journeyResultRoutes(deps: Pick<CoreContext, 'database' | 'clock'>) {
  return new Hono<SignedIn>().get(
    '/:id/results',
    describeRoute({
      tags: ['journeys'],
      summary: 'Those treated against those held out, with intervals for those who peek; and every split',
    }),
    validate('param', z.object({ id: z.string().min(1).max(60) })),
    async (c) => answerJson(c, await readJourneyResults(deps, c.req.valid('param').id)),
  )
}
