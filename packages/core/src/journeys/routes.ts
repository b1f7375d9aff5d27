import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import { answerJson } from '../http/answer.ts'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { audit } from '../people/audit.ts'
import { parseDefinition } from './parse-definition.ts'
import {
  changeJourneyState,
  checkInForce,
  checkJourney,
  createJourney,
  enrolmentsOf,
  listJourneys,
  publishJourney,
  updateJourney,
} from './queries.ts'
import { getWithOrigin } from './template-queries.ts'
import { journeyStats } from './node-stats.ts'

const JourneyId = z.object({ id: z.string().min(1).max(60) })
const Name = z.string().trim().min(1).max(80)
/** Looked at more closely by the journeys themselves, which say every mistake at once. */
const Definition = z.record(z.string(), z.json())

const tags = ['journeys']

type RouteDeps = Pick<CoreContext, 'database' | 'clock' | 'brand' | 'points'> & { wake?(): void }

/** Mounted at `/api/journeys`. */
export function journeyRoutes(deps: RouteDeps) {
  const { database, clock } = deps
  const note = async (userId: string, action: string, subject: string) => {
    await audit(database.db, clock, { userId, action, subject })
    deps.wake?.()
  }
  return new Hono<SignedIn>()
    .get('/', describeRoute({ tags, summary: 'Journeys, newest first' }), async (c) =>
      answerJson(c, { journeys: await listJourneys(database.db) }),
    )
    .post(
      '/',
      describeRoute({ tags, summary: 'A new draft' }),
      validate('json', z.object({ name: Name, definition: Definition })),
      async (c) => answerJson(c, await createJourney(deps, c.req.valid('json')), 201),
    )
    .post(
      '/check',
      describeRoute({ tags, summary: 'What keeps a definition from being published' }),
      validate('json', z.object({ definition: Definition })),
      async (c) => {
        const definition = parseDefinition(c.req.valid('json').definition)
        return c.json({ mistakes: await checkJourney(deps, definition) })
      },
    )
    .get('/:id', describeRoute({ tags, summary: 'One journey' }), validate('param', JourneyId), async (c) => {
      const { id } = c.req.valid('param')
      const journey = await getWithOrigin(deps, id)
      return answerJson(c, { ...journey, mistakesInForce: await checkInForce(deps, id) })
    })
    .put(
      '/:id',
      describeRoute({ tags, summary: 'Change the draft; what is published stays as it is' }),
      validate('param', JourneyId),
      validate(
        'json',
        z.object({
          name: Name.optional(),
          definition: Definition.optional(),
          basedOn: z.int().nonnegative().optional(),
        }),
      ),
      async (c) => answerJson(c, await updateJourney(deps, c.req.valid('param').id, c.req.valid('json'))),
    )
    .post(
      '/:id/publish',
      describeRoute({ tags, summary: 'Put the draft into force as a new version' }),
      validate('param', JourneyId),
      async (c) => {
        const journey = await publishJourney(deps, c.req.valid('param').id, c.get('user').id)
        await note(c.get('user').id, 'journey.publish', journey.id)
        return answerJson(c, journey)
      },
    )
    .post(
      '/:id/:change{pause|resume|end}',
      describeRoute({ tags, summary: 'Pause, go on, or let nobody in any more' }),
      validate('param', JourneyId.extend({ change: z.enum(['pause', 'resume', 'end']) })),
      async (c) => {
        const { id, change } = c.req.valid('param')
        const to = ({ pause: 'paused', resume: 'live', end: 'ended' } as const)[change]
        const journey = await changeJourneyState(deps, id, to)
        await note(c.get('user').id, `journey.${change}`, id)
        return answerJson(c, journey)
      },
    )
    .get(
      '/:id/stats',
      describeRoute({ tags, summary: 'What happened at every step' }),
      validate('param', JourneyId),
      validate('query', z.object({ version: z.coerce.number().int().positive().optional() })),
      async (c) => {
        const { id } = c.req.valid('param')
        return answerJson(c, { nodes: await journeyStats(database.analytics, id, c.req.valid('query')) })
      },
    )
}

/** Mounted at `/api/customers`. */
export function customerJourneyRoutes({ database }: Pick<CoreContext, 'database'>) {
  return new Hono<SignedIn>().get(
    '/:id{[0-9]+}/journeys',
    describeRoute({ tags: ['customers'], summary: 'Journeys a customer is or was in' }),
    validate('param', z.object({ id: z.coerce.number().int().positive() })),
    async (c) => answerJson(c, { enrolments: await enrolmentsOf(database.db, c.req.valid('param').id) }),
  )
}
