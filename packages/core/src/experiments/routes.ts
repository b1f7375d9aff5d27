import { notFound } from '@huitou/plugin-api'
import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import { answerJson } from '../http/answer.ts'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { audit } from '../people/audit.ts'
import { readCustomerNames } from '../profiles/queries.ts'
import { definitionSchema } from './definition.ts'
import { expose } from './exposures.ts'
import { planDifference, planPower, planSize } from './planner.ts'
import {
  createExperiment,
  deleteExperiment,
  endExperiment,
  getExperiment,
  listExperiments,
  startExperiment,
  updateExperiment,
} from './queries.ts'
import { listMeasured } from './metrics.ts'
import { readResults } from './results.ts'

const ExperimentId = z.object({ id: z.string().min(1).max(200) })
const Name = z.string().trim().min(1).max(80)
const NewExperiment = z.strictObject({ name: Name, definition: definitionSchema })
const ChangedExperiment = z.strictObject({ name: Name.optional(), definition: definitionSchema.optional() })
const Customers = z.strictObject({ customerIds: z.array(z.int().positive()).min(1).max(1_000) })

const settings = {
  baseline: z.union([
    z.strictObject({ rate: z.number().gt(0).lt(1) }),
    z.strictObject({ mean: z.number(), deviation: z.number().positive() }),
  ]),
  alpha: z.number().min(0.0001).max(0.5).default(0.05),
  ratio: z.number().min(0.01).max(100).default(1),
  peeking: z.boolean().default(false),
}
const difference = z.number()
const size = z.number().int().min(2).max(1e12)
const power = z.number().min(0.5).max(0.9999).default(0.8)
const Plan = z.union([
  z.strictObject({ ...settings, find: z.literal('size'), difference, power }),
  z.strictObject({ ...settings, find: z.literal('difference'), size, power }),
  z.strictObject({ ...settings, find: z.literal('power'), difference, size }),
])

const Behind = z.object({
  arm: z.string().min(1).max(40),
  metric: z.string().max(40).optional(),
  after: z.coerce.number().int().nonnegative().default(0),
  limit: z.coerce.number().int().min(1).max(200).default(50),
})

const tags = ['experiments']

/** Mounted at `/api/experiments`. */
export function experimentRoutes(deps: Pick<CoreContext, 'database' | 'clock' | 'brand'>) {
  const { database, clock } = deps
  const note = (action: string, userId: string, subject: string) =>
    audit(database.db, clock, { userId, action: `experiment.${action}`, subject })
  return new Hono<SignedIn>()
    .get('/', describeRoute({ tags, summary: 'Experiments, newest first' }), async (c) =>
      answerJson(c, { experiments: await listExperiments(deps) }),
    )
    .post(
      '/',
      describeRoute({ tags, summary: 'A draft of an experiment' }),
      validate('json', NewExperiment),
      async (c) => answerJson(c, await createExperiment(deps, c.req.valid('json')), 201),
    )
    .post(
      '/plan',
      describeRoute({ tags, summary: 'Customers needed, difference to be seen, or chance to see it' }),
      validate('json', Plan),
      async (c) => c.json(planOf(c.req.valid('json'))),
    )
    .get(
      '/:id',
      describeRoute({ tags, summary: 'One experiment' }),
      validate('param', ExperimentId),
      async (c) => answerJson(c, await getExperiment(deps, c.req.valid('param').id)),
    )
    .put(
      '/:id',
      describeRoute({ tags, summary: 'Another name; before the start, another definition' }),
      validate('param', ExperimentId),
      validate('json', ChangedExperiment),
      async (c) => answerJson(c, await updateExperiment(deps, c.req.valid('param').id, c.req.valid('json'))),
    )
    .delete(
      '/:id',
      describeRoute({ tags, summary: 'Take an experiment away that is not running' }),
      validate('param', ExperimentId),
      async (c) => {
        const { id } = c.req.valid('param')
        await deleteExperiment(deps, id)
        await note('delete', c.get('user').id, id)
        return c.body(null, 204)
      },
    )
    .post(
      '/:id/start',
      describeRoute({ tags, summary: 'Assign and count from now on' }),
      validate('param', ExperimentId),
      async (c) => {
        const experiment = await startExperiment(deps, c.req.valid('param').id)
        await note('start', c.get('user').id, experiment.id)
        return answerJson(c, experiment)
      },
    )
    .post(
      '/:id/end',
      describeRoute({ tags, summary: 'Take in nobody from now on' }),
      validate('param', ExperimentId),
      async (c) => {
        const experiment = await endExperiment(deps, c.req.valid('param').id)
        await note('end', c.get('user').id, experiment.id)
        return answerJson(c, experiment)
      },
    )
    .post(
      '/:id/exposures',
      describeRoute({ tags, summary: 'Arms of customers, written down as met now' }),
      validate('param', ExperimentId),
      validate('json', Customers),
      async (c) => {
        const experiment = await getExperiment(deps, c.req.valid('param').id)
        return c.json({ exposures: await expose(deps, experiment, c.req.valid('json').customerIds) })
      },
    )
    .get(
      '/:id/customers',
      describeRoute({
        tags,
        summary: 'The customers behind a number: in an arm, and with a figure by a metric',
      }),
      validate('param', ExperimentId),
      validate('query', Behind),
      async (c) => {
        const experiment = await getExperiment(deps, c.req.valid('param').id)
        const { metric: key, ...page } = c.req.valid('query')
        const metric = experiment.metrics.find((one) => one.key === key)
        if (key !== undefined && !metric) throw notFound('Metric', key)
        const measured = await listMeasured(deps, experiment, { ...page, metric })
        const names = await readCustomerNames(
          database.db,
          measured.map(({ customerId }) => customerId),
        )
        return answerJson(c, {
          customers: measured.map((one) => ({ ...one, name: names.get(one.customerId) ?? null })),
          next: measured.length === page.limit ? (measured.at(-1)?.customerId ?? null) : null,
        })
      },
    )
    .get(
      '/:id/results',
      describeRoute({ tags, summary: 'How the arms stand, with intervals' }),
      validate('param', ExperimentId),
      async (c) => answerJson(c, await readResults(deps, await getExperiment(deps, c.req.valid('param').id))),
    )
}

/** All three, whichever was asked for. `size` is the control's; `customers` are those of both arms. */
function planOf(plan: z.infer<typeof Plan>) {
  const found =
    plan.find === 'size'
      ? { ...plan, size: planSize(plan.difference, plan.power, plan) }
      : plan.find === 'difference'
        ? { ...plan, difference: planDifference(plan.size, plan.power, plan) }
        : { ...plan, power: planPower(plan.difference, plan.size, plan) }
  const customers = found.size + Math.ceil(found.size * plan.ratio)
  return { size: found.size, customers, difference: found.difference, power: found.power }
}
