import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import { answerJson } from '../http/answer.ts'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { audit } from '../people/audit.ts'
import { ENROLMENT_STATES, getEnrolment, listEnrolments, listVersions, stopEnrolment } from './enrolments.ts'
import { readJourneyPoints } from './journey-points.ts'
import type { JourneyStage } from './stage.ts'
import { startTrial } from './trial.ts'

const JourneyId = z.object({ id: z.string().min(1).max(60) })
const EnrolmentId = JourneyId.extend({ enrolment: z.coerce.number().int().positive() })
const Filter = z.object({
  node: z.string().max(60).optional(),
  state: z.enum(ENROLMENT_STATES).optional(),
  over: z.stringbool().optional(),
  version: z.coerce.number().int().positive().optional(),
  tests: z.stringbool().default(false),
  before: z.coerce.number().int().positive().optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
})
const Trial = z.strictObject({
  customerId: z.int().positive(),
  waits: z.enum(['skip', 'real']).default('skip'),
  event: z.record(z.string().max(200), z.json()).optional(),
})

const tags = ['journeys']

type RouteDeps = Pick<CoreContext, 'database' | 'clock' | 'brand' | 'points'> & {
  journeys: Pick<JourneyStage, 'trialChannel' | 'tasks'>
  wake?(): void
}

/** Mounted at `/api/journeys`: the people in them. */
export function enrolmentRoutes(deps: RouteDeps) {
  const { database, clock, journeys } = deps
  return new Hono<SignedIn>()
    .get(
      '/points',
      describeRoute({ tags, summary: 'Actions, conditions, events and festivals for journeys' }),
      async (c) => answerJson(c, await readJourneyPoints(deps)),
    )
    .get(
      '/:id/versions',
      describeRoute({ tags, summary: 'Published definitions, newest first' }),
      validate('param', JourneyId),
      async (c) => answerJson(c, { versions: await listVersions(database.db, c.req.valid('param').id) }),
    )
    .get(
      '/:id/enrolments',
      describeRoute({ tags, summary: 'People in a journey, or at one step of it' }),
      validate('param', JourneyId),
      validate('query', Filter),
      async (c) => {
        const { id } = c.req.valid('param')
        return answerJson(c, await listEnrolments(database.analytics, id, c.req.valid('query')))
      },
    )
    .get(
      '/:id/enrolments/:enrolment{[0-9]+}',
      describeRoute({ tags, summary: 'One customer’s way through a journey' }),
      validate('param', EnrolmentId),
      async (c) => {
        const { id, enrolment } = c.req.valid('param')
        return answerJson(c, await getEnrolment(database.db, id, enrolment))
      },
    )
    .post(
      '/:id/enrolments/:enrolment{[0-9]+}/stop',
      describeRoute({ tags, summary: 'Take a customer out of a journey' }),
      validate('param', EnrolmentId),
      async (c) => {
        const { id, enrolment } = c.req.valid('param')
        const stopped = await stopEnrolment({ ...deps, tasks: journeys.tasks }, id, enrolment)
        await audit(database.db, clock, {
          userId: c.get('user').id,
          action: 'journey.stop-customer',
          subject: id,
          details: { enrolment },
        })
        return answerJson(c, stopped)
      },
    )
    .post(
      '/:id/test',
      describeRoute({ tags, summary: 'Send one customer through the draft; messages reach nobody' }),
      validate('param', JourneyId),
      validate('json', Trial),
      async (c) => {
        const { id } = c.req.valid('param')
        const enrolment = await startTrial(deps, id, {
          request: c.req.valid('json'),
          channel: journeys.trialChannel,
        })
        deps.wake?.()
        return answerJson(c, await getEnrolment(database.db, id, enrolment), 201)
      },
    )
}
