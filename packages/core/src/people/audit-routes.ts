import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import { answerJson } from '../http/answer.ts'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import type { Db } from '../db/database.ts'
import { attachment, type Cell, SPREADSHEET_TYPES, toSpreadsheet } from '../spreadsheet.ts'
import { type ChainReport, verifyAuditLog } from './audit-chain.ts'
import { logExport } from './export-log.ts'
import { type AuditFilter, type AuditRow, listAudit, listAuditActions } from './audit-queries.ts'

const Filter = z.object({
  user: z.string().max(100).optional(),
  action: z.string().max(100).optional(),
  from: z.coerce.number().int().optional(),
  until: z.coerce.number().int().optional(),
})
const Page = Filter.extend({
  before: z.coerce.number().int().positive().optional(),
  limit: z.coerce.number().int().min(1).max(200).default(100),
})
const Export = Filter.extend({ reason: z.string().max(400) })
const tags = ['audit']

const EXPORT_PAGE = 1_000

export interface AuditPage {
  entries: AuditRow[]
  next?: number
}

/** Who did what, mounted at `/api/audit`. */
export function auditRoutes({ database: { db }, clock }: Pick<CoreContext, 'database' | 'clock'>) {
  return new Hono<SignedIn>()
    .get(
      '/',
      describeRoute({ tags, summary: 'Who did what, newest first' }),
      validate('query', Page),
      async (c) => answerJson<AuditPage>(c, await listAudit(db, c.req.valid('query'))),
    )
    .get('/actions', describeRoute({ tags, summary: 'What stands in the log' }), async (c) =>
      c.json({ actions: await listAuditActions(db) }),
    )
    .post(
      '/verify',
      describeRoute({ tags, summary: 'Whether the log still is what was written' }),
      async (c) => answerJson<ChainReport>(c, await verifyAuditLog(db)),
    )
    .post(
      '/export',
      describeRoute({ tags, summary: 'Entries as a CSV file, with the reason why' }),
      validate('json', Export),
      async (c) => {
        const { reason, ...filter } = c.req.valid('json')
        const { id, locale } = c.get('user')
        const { name, headers } = TITLES[locale === 'zh-CN' ? 'zh-CN' : 'en']
        await logExport(db, clock, {
          userId: id,
          what: 'audit',
          subject: 'audit',
          title: name,
          format: 'csv',
          rows: null,
          reason,
        })
        return c.body(toSpreadsheet({ name, headers, pages: readPages(db, filter) }, 'csv'), 200, {
          'Content-Type': SPREADSHEET_TYPES.csv,
          'Content-Disposition': attachment(name, 'csv'),
        })
      },
    )
}

const TITLES = {
  en: { name: 'Audit log', headers: ['Number', 'Time', 'Who', 'Name', 'Action', 'Subject', 'Details'] },
  'zh-CN': { name: '审计日志', headers: ['编号', '时间', '操作者', '姓名', '操作', '对象', '详情'] },
}

async function* readPages(db: Db, filter: Omit<AuditFilter, 'limit' | 'before'>): AsyncGenerator<Cell[][]> {
  let before: number | undefined
  do {
    const page = await listAudit(db, { ...filter, before, limit: EXPORT_PAGE })
    yield page.entries.map(toCells)
    before = page.next
  } while (before !== undefined)
}

function toCells({ id, at, user, action, subject, details }: AuditRow): Cell[] {
  const time = new Date(at).toISOString()
  return [id, time, user.id, user.name ?? '', action, subject, JSON.stringify(details)]
}
