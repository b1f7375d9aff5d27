import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import { answerJson } from '../http/answer.ts'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { logExport } from '../people/export-log.ts'
import { currentCustomerId } from '../profiles/queries.ts'
import { attachment, SPREADSHEET_TYPES, toSpreadsheet } from '../spreadsheet.ts'
import { readScope } from './compile.ts'
import { countRule } from './count.ts'
import { explainInScope, explainRule, membershipHistory } from './explain.ts'
import { exportSegment } from './export.ts'
import { segmentHistory, segmentOverlaps } from './history.ts'
import {
  createSegment,
  deleteSegment,
  getSegment,
  listSegments,
  segmentsOfCustomer,
  snapshotSegment,
  updateSegment,
} from './queries.ts'
import { ruleSchema } from './rule.ts'
import { searchCustomers } from './search.ts'

const SegmentId = z.object({ id: z.string().min(1).max(200) })
const Name = z.string().trim().min(1).max(80)
const NewSegment = z.object({ name: Name, rule: ruleSchema })
const ChangedSegment = z.object({ name: Name.optional(), rule: ruleSchema.optional() })
const Question = z.union([
  z.object({ rule: ruleSchema, customerId: z.int().positive() }),
  z.object({ segmentId: z.string().max(200), customerId: z.int().positive() }),
])
const Export = z.object({
  format: z.enum(['csv', 'xlsx']).default('csv'),
  columns: z
    .string()
    .max(4_000)
    .optional()
    .transform((names) => names?.split(',').filter(Boolean)),
  locale: z.enum(['en', 'zh-CN']).optional(),
  /** What the file is for. */
  reason: z.string().max(300).default(''),
})
const Search = z.object({
  rule: ruleSchema.optional(),
  segmentId: z.string().max(200).optional(),
  search: z.string().max(200).optional(),
  sort: z.object({ column: z.string().max(200), dir: z.enum(['asc', 'desc']).default('desc') }).optional(),
  columns: z.array(z.string().max(200)).max(60).optional(),
  cursor: z.string().max(2_000).optional(),
  limit: z.int().min(1).max(500).default(50),
})

const tags = ['segments']

type RouteDeps = Pick<CoreContext, 'database' | 'clock' | 'brand'> & {
  /** Called after a segment was made, changed or taken away, so that the stage looks at once. */
  wake?(): void
}

/** Mounted at `/api/segments`. Chained, so that the admin's typed client knows every answer. */
export function segmentRoutes(deps: RouteDeps) {
  const { database, clock, brand } = deps
  const wake = () => deps.wake?.()
  return new Hono<SignedIn>()
    .get('/', describeRoute({ tags, summary: 'Segments in use' }), async (c) =>
      answerJson(c, { segments: await listSegments(deps) }),
    )
    .post(
      '/',
      describeRoute({ tags, summary: 'A new segment that follows a rule' }),
      validate('json', NewSegment),
      async (c) => {
        const segment = await createSegment(deps, c.req.valid('json'))
        wake()
        return answerJson(c, segment, 201)
      },
    )
    .post(
      '/count',
      describeRoute({ tags, summary: 'How many customers a rule finds, sentence by sentence' }),
      validate('json', z.object({ rule: ruleSchema })),
      async (c) => c.json(await countRule(deps, c.req.valid('json').rule)),
    )
    .post(
      '/explain',
      describeRoute({ tags, summary: 'Why a customer is in or out' }),
      validate('json', Question),
      async (c) => {
        const question = c.req.valid('json')
        const customerId = await currentCustomerId(database.db, question.customerId)
        if ('rule' in question)
          return c.json({ ...(await explainRule(deps, question.rule, customerId)), history: [] })
        const { rule } = await getSegment(deps, question.segmentId)
        const history = await membershipHistory(database.db, question.segmentId, customerId)
        return c.json({
          ...(await explainRule(deps, rule ?? { all: [{ segment: question.segmentId }] }, customerId)),
          history,
        })
      },
    )
    .get('/:id', describeRoute({ tags, summary: 'One segment' }), validate('param', SegmentId), async (c) =>
      answerJson(c, await getSegment(deps, c.req.valid('param').id)),
    )
    .put(
      '/:id',
      describeRoute({ tags, summary: 'Another name or rule' }),
      validate('param', SegmentId),
      validate('json', ChangedSegment),
      async (c) => {
        const segment = await updateSegment(deps, c.req.valid('param').id, c.req.valid('json'))
        wake()
        return answerJson(c, segment)
      },
    )
    .delete(
      '/:id',
      describeRoute({ tags, summary: 'Take a segment away' }),
      validate('param', SegmentId),
      async (c) => {
        await deleteSegment(deps, c.req.valid('param').id)
        wake()
        return c.body(null, 204)
      },
    )
    .post(
      '/:id/snapshot',
      describeRoute({ tags, summary: 'The present members as a list of their own' }),
      validate('param', SegmentId),
      validate('json', z.object({ name: Name })),
      async (c) =>
        answerJson(c, await snapshotSegment(deps, c.req.valid('param').id, c.req.valid('json').name), 201),
    )
    .get(
      '/:id/history',
      describeRoute({ tags, summary: 'Size, joiners and leavers by business day' }),
      validate('param', SegmentId),
      validate('query', z.object({ days: z.coerce.number().int().min(1).max(730).default(90) })),
      async (c) =>
        c.json({ days: await segmentHistory(deps, c.req.valid('param').id, c.req.valid('query').days) }),
    )
    .get(
      '/:id/overlap',
      describeRoute({ tags, summary: 'Which other segments the members are in' }),
      validate('param', SegmentId),
      async (c) => c.json(await segmentOverlaps(deps, c.req.valid('param').id)),
    )
    .get(
      '/:id/export',
      describeRoute({ tags, summary: 'Members as a file, personal data masked' }),
      validate('param', SegmentId),
      validate('query', Export),
      async (c) => {
        const { id } = c.req.valid('param')
        const { format, columns, locale, reason } = c.req.valid('query')
        const table = await exportSegment(deps, id, { columns, locale: locale ?? (await brand()).locale })
        await logExport(database.db, clock, {
          userId: c.get('user').id,
          what: 'segment',
          subject: id,
          title: table.name,
          format,
          rows: (await getSegment(deps, id)).count,
          reason,
        })
        return c.body(toSpreadsheet(table, format), 200, {
          'Content-Type': SPREADSHEET_TYPES[format],
          'Content-Disposition': attachment(table.name, format),
        })
      },
    )
}

/** Search over customers and what segments say about one; mounted at `/api/customers`. */
export function customerSearchRoutes(deps: Pick<CoreContext, 'database' | 'clock' | 'brand'>) {
  const { database, clock, brand } = deps
  return new Hono<SignedIn>()
    .post(
      '/search',
      describeRoute({
        tags: ['customers'],
        summary: 'Customers by rule, segment or text, personal data masked',
      }),
      validate('json', Search),
      async (c) => c.json(await searchCustomers(deps, c.req.valid('json'))),
    )
    .get(
      '/:id{[0-9]+}/segments',
      describeRoute({ tags: ['customers'], summary: 'Segments a customer is in, and why' }),
      validate('param', z.object({ id: z.coerce.number().int().positive() })),
      async (c) => {
        const customerId = await currentCustomerId(database.db, c.req.valid('param').id)
        const scope = await readScope(database.db, await brand(), { now: clock.now() })
        const segments = []
        for (const { rule, ...segment } of await segmentsOfCustomer(deps, customerId)) {
          // A rule that cannot be read now has no reasons to give; its members stay.
          const reasons = rule
            ? await explainInScope(database.db, rule, { scope, customerId }).catch(() => ({ lines: [] }))
            : { lines: [] }
          segments.push({ ...segment, reasons: reasons.lines })
        }
        return c.json({ segments })
      },
    )
}
