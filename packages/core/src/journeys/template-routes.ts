import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import { answerJson } from '../http/answer.ts'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { audit } from '../people/audit.ts'
import {
  changeParameters,
  createFromTemplate,
  listFromTemplate,
  listTemplates,
  previewParameters,
} from './template-queries.ts'

const Parameters = z.record(z.string().max(100), z.json())
const NewJourney = z.object({
  template: z.string().min(1).max(200),
  parameters: Parameters.default({}),
  name: z.string().trim().min(1).max(80).optional(),
})
const tags = ['journeys']

type RouteDeps = Pick<CoreContext, 'database' | 'clock' | 'brand' | 'points'>

/** Mounted at `/api/journey-templates`. */
export function journeyTemplateRoutes(deps: RouteDeps) {
  return new Hono<SignedIn>().get(
    '/',
    describeRoute({ tags, summary: 'Journeys to start from, with what each lacks here' }),
    async (c) => answerJson(c, { templates: await listTemplates(deps) }),
  )
}

/** Mounted at `/api/journeys`. */
export function journeyFromTemplateRoutes(deps: RouteDeps) {
  const { database, clock } = deps
  return new Hono<SignedIn>()
    .get(
      '/from-template',
      describeRoute({ tags, summary: 'Journeys made from a template, oldest first' }),
      validate('query', z.object({ template: z.string().min(1).max(200) })),
      async (c) => answerJson(c, { journeys: await listFromTemplate(deps, c.req.valid('query').template) }),
    )
    .post(
      '/from-template',
      describeRoute({ tags, summary: 'A new draft from a template' }),
      validate('json', NewJourney),
      async (c) => {
        const journey = await createFromTemplate(deps, c.req.valid('json'))
        await audit(database.db, clock, {
          userId: c.get('user').id,
          action: 'journey.from_template',
          subject: journey.id,
          details: { template: journey.template },
        })
        return answerJson(c, journey, 201)
      },
    )
    .put(
      '/:id/parameters',
      describeRoute({ tags, summary: 'Build the draft anew; what was changed by hand stays' }),
      validate('param', z.object({ id: z.string().min(1).max(60) })),
      validate('json', z.object({ parameters: Parameters })),
      async (c) =>
        answerJson(c, await changeParameters(deps, c.req.valid('param').id, c.req.valid('json').parameters)),
    )
    .post(
      '/:id/parameters/preview',
      describeRoute({ tags, summary: 'The draft as other parameters would make it; nothing is stored' }),
      validate('param', z.object({ id: z.string().min(1).max(60) })),
      validate('json', z.object({ parameters: Parameters })),
      async (c) =>
        answerJson(c, await previewParameters(deps, c.req.valid('param').id, c.req.valid('json').parameters)),
    )
}
