import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import { answerJson } from '../http/answer.ts'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { audit } from '../people/audit.ts'
import { countUnderWay, stopJourney } from './stop-all.ts'

const JourneyId = z.object({ id: z.string().min(1).max(60) })

const tags = ['journeys']

/** Mounted at `/api/journeys`: taking everybody out at once. */
export function journeyStopRoutes(
  deps: Pick<CoreContext, 'database' | 'clock' | 'jobs'> & { wake?(): void },
) {
  const { database, clock } = deps
  return new Hono<SignedIn>()
    .get(
      '/:id/under-way',
      describeRoute({ tags, summary: 'Who is in a journey, and what is about to go out' }),
      validate('param', JourneyId),
      async (c) => answerJson(c, await countUnderWay(database.db, c.req.valid('param').id)),
    )
    .post(
      '/:id/stop',
      describeRoute({ tags, summary: 'End a journey and take everybody out of it' }),
      validate('param', JourneyId),
      async (c) => {
        const { id } = c.req.valid('param')
        const { job, underWay } = await stopJourney(deps, id)
        await audit(database.db, clock, {
          userId: c.get('user').id,
          action: 'journey.stop',
          subject: id,
          details: { ...underWay, job: job.id },
        })
        deps.wake?.()
        return answerJson(c, { jobId: job.id, ...underWay }, 202)
      },
    )
}
