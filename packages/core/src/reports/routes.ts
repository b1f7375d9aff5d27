import { userError } from '@huitou/plugin-api'
import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import { createFormatter } from '../cell-format.ts'
import type { CoreContext } from '../context.ts'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { attachment, SPREADSHEET_TYPES, toSpreadsheet } from '../spreadsheet.ts'
import { blockTable } from './block-table.ts'
import { type Attention, readHome } from './home.ts'
import { listReports, runReport } from './run.ts'

const Locale = z.enum(['en', 'zh-CN'])
const ReportId = z.object({ id: z.string().min(1).max(200) })
const Run = z.object({
  parameters: z.record(z.string(), z.unknown()).default({}),
  segmentId: z.string().max(200).optional(),
  locale: Locale.optional(),
})
const Export = Run.extend({ format: z.enum(['csv', 'xlsx']), block: z.string().max(200).optional() })

const tags = ['reports']

/** Mounted at `/api/reports`. Chained, so that the admin's typed client knows every answer. */
export function reportRoutes(deps: Pick<CoreContext, 'points' | 'clock' | 'brand'>) {
  const { points, brand } = deps
  return new Hono<SignedIn>()
    .get('/', describeRoute({ tags, summary: 'Reports of enabled plugins' }), (c) =>
      c.json({ reports: listReports(points) }),
    )
    .post(
      '/:id/run',
      describeRoute({ tags, summary: 'Run a report' }),
      validate('param', ReportId),
      validate('json', Run),
      async (c) => {
        const { parameters, segmentId, locale } = c.req.valid('json')
        const { id } = c.req.valid('param')
        return c.json(
          await runReport(deps, id, {
            parameters,
            segmentId,
            locale: locale ?? (await brand()).locale,
            signal: c.req.raw.signal,
          }),
        )
      },
    )
    .post(
      '/:id/export',
      describeRoute({ tags, summary: 'One block of a report as a file' }),
      validate('param', ReportId),
      validate('json', Export),
      async (c) => {
        const { id } = c.req.valid('param')
        const { parameters, segmentId, format, block, locale: wanted } = c.req.valid('json')
        const settings = await brand()
        const locale = wanted ?? settings.locale
        const { blocks } = await runReport(deps, id, {
          parameters,
          segmentId,
          locale,
          signal: c.req.raw.signal,
        })
        const { title, blocks: declared } = listReports(points).find((report) => report.id === id) ?? {
          title: { en: id, 'zh-CN': id },
          blocks: [],
        }
        const candidates = declared.filter((each) =>
          block === undefined ? each.kind !== 'text' && each.kind !== 'number' : each.id === block,
        )
        const chosen =
          candidates.find((each) => each.kind === 'table') ??
          candidates[0] ??
          declared.find((each) => block === undefined && each.kind === 'number')
        const data = chosen && blocks[chosen.id]
        const name = chosen ? `${title[locale]} ${chosen.title[locale]}` : title[locale]
        const table = data && blockTable(name, data, { format: createFormatter(settings, locale), locale })
        if (!table)
          throw userError(
            'E_REPORT_BLOCK',
            `Report "${id}" has no table to export${block ? ` in block "${block}"` : ''}`,
            { status: 404 },
          )
        return c.body(toSpreadsheet(table, format), 200, {
          'Content-Type': SPREADSHEET_TYPES[format],
          'Content-Disposition': attachment(name, format),
        })
      },
    )
}

/** Mounted at `/api/home`; `readMore` tells what else needs a person, before all that the core knows of. */
export function homeRoutes(
  deps: Pick<CoreContext, 'database' | 'clock' | 'brand'>,
  readMore: () => Promise<Attention[]>,
) {
  return new Hono<SignedIn>().get(
    '/',
    describeRoute({ tags, summary: "Today's figures and what needs a person" }),
    async (c) => {
      const [home, more] = await Promise.all([readHome(deps), readMore()])
      return c.json({ ...home, attention: [...more, ...home.attention] })
    },
  )
}
