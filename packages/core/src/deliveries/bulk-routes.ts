import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import { answerJson } from '../http/answer.ts'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { audit } from '../people/audit.ts'
import type { Text } from '../points/points.ts'
import { ruleSchema } from '../segments/rule.ts'
import { bulkActions, startBulkAction } from './bulk-actions.ts'
import { findPeople, PEOPLE_LIMIT, type Who } from './bulk-targets.ts'

const ID_LIMIT = 10_000
const INPUT_LIMIT = 20_000

const Meant = {
  rule: ruleSchema.optional(),
  segmentId: z.string().max(200).optional(),
  search: z.string().max(200).optional(),
  ids: z.array(z.int().positive()).min(1).max(ID_LIMIT).optional(),
}
const isOneWay = ({ ids, rule, segmentId, search }: Record<string, unknown>) =>
  ids === undefined || (rule === undefined && segmentId === undefined && search === undefined)
const Asked = z.strictObject(Meant).refine(isOneWay, 'give ids, or a rule, segment or search')
const Started = z
  .strictObject({
    ...Meant,
    /** `tag`, `untag` or `publisher.name/id`. */
    action: z.string().min(1).max(200),
    input: z
      .record(z.string(), z.json())
      .default({})
      .refine((input) => JSON.stringify(input).length <= INPUT_LIMIT, 'is too large'),
    /** How many customers it is done to, as counted before. */
    expected: z.int().min(1).max(PEOPLE_LIMIT),
  })
  .refine(isOneWay, 'give ids, or a rule, segment or search')

/** An action of a plugin, texts in both languages. */
export interface BulkActionInfo {
  /** `publisher.name/id` */
  id: string
  plugin: string
  title: Text
  description: Text | null
  icon: string | null
  /** JSON Schema whose titles are in every language. */
  input: Record<string, unknown> | null
  /** Whether it can be taken up again for everybody after a crash. */
  idempotent: boolean
}

const tags = ['customers']

/** Mounted at `/api/customers`. */
export function bulkActionRoutes(
  deps: Pick<CoreContext, 'database' | 'clock' | 'brand' | 'points' | 'jobs'>,
) {
  const { database, clock, points } = deps
  return new Hono<SignedIn>()
    .get('/actions', describeRoute({ tags, summary: 'What can be done to many customers' }), (c) =>
      answerJson<{ actions: BulkActionInfo[] }>(c, {
        actions: bulkActions(points).map(({ id, owner, value }) => ({
          id,
          plugin: owner.plugin,
          title: owner.text(value.title),
          description: value.description === undefined ? null : owner.text(value.description),
          icon: value.icon ?? null,
          input: (value.input as Record<string, unknown> | undefined) ?? null,
          idempotent: value.idempotent ?? false,
        })),
      }),
    )
    .post(
      '/actions/count',
      describeRoute({ tags, summary: 'How many customers something would be done to' }),
      validate('json', Asked),
      async (c) => {
        const { length } = await findPeople(deps, c.req.valid('json') as Who)
        return answerJson(c, { count: Math.min(length, PEOPLE_LIMIT), tooMany: length > PEOPLE_LIMIT })
      },
    )
    .post(
      '/actions',
      describeRoute({ tags, summary: 'Do something to many customers, as a job' }),
      validate('json', Started),
      async (c) => {
        const { action, input, expected, ...who } = c.req.valid('json')
        const job = await startBulkAction(deps, { action, input }, { who: who as Who, expected })
        await audit(database.db, clock, {
          userId: c.get('user').id,
          action: 'customers.action',
          subject: action,
          details: { customers: expected, job: job.id },
        })
        return answerJson(c, { jobId: job.id }, 202)
      },
    )
}
