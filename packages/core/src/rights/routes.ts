import { userError } from '@huitou/plugin-api'
import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import { answerJson } from '../http/answer.ts'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { audit } from '../people/audit.ts'
import { authorNames } from '../people/author-names.ts'
import { logExport } from '../people/export-log.ts'
import { currentCustomerId, getCustomer } from '../profiles/queries.ts'
import { writeCustomerFile } from './customer-file.ts'
import type { Erasures } from './erasures.ts'
import { findProofs } from './proofs.ts'
import type { Retention } from './retention.ts'

const Id = z.object({ id: z.coerce.number().int().positive() })
const Reason = z.string().trim().min(2).max(300)
const Erase = z.object({
  reason: Reason,
  /** The customer's name as the page shows it, typed by hand. */
  confirm: z.string().max(300),
})
const Name = z.object({ kind: z.string().trim().min(1).max(80), value: z.string().trim().min(1).max(512) })
const Page = z.object({
  before: z.coerce.number().int().positive().optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
})

const tags = ['privacy']

const Months = z.int().min(1).max(240).nullable()
const Rules = z.object({
  events: Months,
  content: Months,
  records: Months,
  logs: Months,
  exports: Months,
  inactive: Months,
})

type Deps = Pick<CoreContext, 'database' | 'clock' | 'brand' | 'points'> & {
  erasures: Erasures
  retention: Retention
}

/** What a customer may ask for, mounted at `/api/customers`. */
export function customerRightsRoutes(deps: Deps) {
  const { database, clock, erasures } = deps
  return new Hono<SignedIn>()
    .post(
      '/:id{[0-9]+}/erase',
      describeRoute({ tags, summary: 'Erase a customer from everything, for good' }),
      validate('param', Id),
      validate('json', Erase),
      async (c) => {
        const customer = await getCustomer(database.db, c.req.valid('param').id)
        const { reason, confirm } = c.req.valid('json')
        if (confirm.trim() !== customer.name.trim())
          throw userError('E_ERASE_CONFIRM', 'What was typed is not the name of this customer', {
            status: 422,
            hint: 'Type the name as it stands at the top of the page.',
          })
        const { id, job } = await erasures.request(customer.id, { reason, by: c.get('user').id })
        await audit(database.db, clock, {
          userId: c.get('user').id,
          action: 'customer.erase',
          subject: String(customer.id),
          details: { erasure: id },
        })
        return c.json({ erasureId: id, jobId: job.id }, 202)
      },
    )
    .post(
      '/:id{[0-9]+}/file',
      describeRoute({ tags, summary: 'Everything held on a customer, as an archive to hand out' }),
      validate('param', Id),
      validate('json', z.object({ reason: z.string().max(300), locale: z.enum(['en', 'zh-CN']).optional() })),
      async (c) => {
        const customer = await currentCustomerId(database.db, c.req.valid('param').id)
        const { reason, locale } = c.req.valid('json')
        const { bytes, rows } = await writeCustomerFile(deps, customer, locale ?? (await deps.brand()).locale)
        await logExport(database.db, clock, {
          userId: c.get('user').id,
          what: 'customer',
          subject: String(customer),
          title: `#${customer}`,
          format: 'zip',
          rows,
          reason,
        })
        return c.body(bytes as Uint8Array<ArrayBuffer>, 200, {
          'Content-Type': 'application/zip',
          'Content-Disposition': `attachment; filename="customer-${customer}.zip"`,
        })
      },
    )
}

/** What was done with personal data, mounted at `/api/privacy`. */
export function privacyRoutes(deps: Deps) {
  const { database, clock, erasures, retention } = deps
  const { db } = database
  return new Hono<SignedIn>()
    .get(
      '/exports',
      describeRoute({ tags, summary: 'Files that left, newest first; never what was in them' }),
      validate('query', Page),
      async (c) => {
        const { before, limit } = c.req.valid('query')
        const rows = await db
          .selectFrom('exports')
          .selectAll()
          .$if(before !== undefined, (query) => query.where('id', '<', before!))
          .orderBy('id', 'desc')
          .limit(limit + 1)
          .execute()
        const names = await authorNames(
          db,
          rows.map(({ user_id }) => `person:${user_id}`),
        )
        const shown = rows.slice(0, limit)
        return answerJson(c, {
          exports: shown.map(({ user_id, row_count, ...row }) => ({
            ...row,
            rows: row_count,
            by: names[`person:${user_id}`] ?? user_id,
          })),
          next: rows.length > limit ? (shown.at(-1)?.id ?? null) : null,
        })
      },
    )
    .post(
      '/exports',
      describeRoute({ tags, summary: 'Write down that a list of customers is taken along' }),
      validate(
        'json',
        z.object({ title: z.string().max(200), rows: z.int().min(0), reason: z.string().max(300) }),
      ),
      async (c) => {
        const { title, rows, reason } = c.req.valid('json')
        const userId = c.get('user').id
        await logExport(db, clock, {
          userId,
          what: 'customers',
          subject: 'list',
          title,
          format: 'csv',
          rows,
          reason,
        })
        return c.json({ accepted: true }, 201)
      },
    )
    .get('/erasures', describeRoute({ tags, summary: 'Who was erased, by number' }), async (c) => {
      const rows = await erasures.list(200)
      const names = await authorNames(
        db,
        rows.map(({ requestedBy }) => `person:${requestedBy}`),
      )
      return answerJson(c, {
        erasures: rows.map((row) => ({
          ...row,
          requestedBy: names[`person:${row.requestedBy}`] ?? row.requestedBy,
        })),
      })
    })
    .get('/retention', describeRoute({ tags, summary: 'How long data is kept' }), async (c) =>
      c.json({ rules: await retention.rules() }),
    )
    .put(
      '/retention',
      describeRoute({ tags, summary: 'Keep data for other times, from the next night on' }),
      validate('json', Rules),
      async (c) => {
        const rules = c.req.valid('json')
        await retention.write(rules)
        await audit(db, clock, {
          userId: c.get('user').id,
          action: 'retention.change',
          subject: 'retention',
          details: rules,
        })
        return c.json({ rules })
      },
    )
    .post(
      '/retention/preview',
      describeRoute({ tags, summary: 'What would go under these rules, in rows' }),
      validate('json', Rules),
      async (c) => c.json({ counts: await retention.preview(c.req.valid('json')) }),
    )
    .post('/retention/run', describeRoute({ tags, summary: 'Do not wait for the night' }), async (c) => {
      const { id } = await retention.start()
      await audit(db, clock, { userId: c.get('user').id, action: 'retention.run', subject: id })
      return c.json({ jobId: id }, 202)
    })
    .post(
      '/suppressions/find',
      describeRoute({ tags, summary: 'Whether somebody of that name was erased' }),
      validate('json', Name),
      async (c) => {
        const { kind, value } = c.req.valid('json')
        return answerJson(c, {
          found: (await erasures.suppression.find(db, kind, value)) ?? null,
          proofs: await findProofs(db, erasures.suppression, { kind, value }),
        })
      },
    )
    .post(
      '/suppressions/lift',
      describeRoute({ tags, summary: 'Let an erased person become a customer again, at their wish' }),
      validate('json', Name.extend({ reason: Reason })),
      async (c) => {
        const { kind, value } = c.req.valid('json')
        const erasure = await erasures.lift(kind, value)
        await audit(db, clock, {
          userId: c.get('user').id,
          action: 'suppression.lift',
          subject: erasure,
          details: { kind },
        })
        return c.json({ lifted: true })
      },
    )
}
