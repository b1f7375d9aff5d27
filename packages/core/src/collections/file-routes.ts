import { userError } from '@huitou/plugin-api'
import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { audit } from '../people/audit.ts'
import { logExport } from '../people/export-log.ts'
import { attachment, SPREADSHEET_TYPES, toSpreadsheet } from '../spreadsheet.ts'
import { checkRole } from './collection-view.ts'
import { exportJson, exportTable } from './export-records.ts'
import { type ImportContext, receiveRecordFile, startRecordImport } from './import-records.ts'
import { toSearch } from './routes.ts'

const Named = z.object({ plugin: z.string().max(120), collection: z.string().max(64) })
const Export = z.object({
  format: z.enum(['csv', 'xlsx', 'json', 'jsonl']),
  filter: z.string().max(20_000).optional(),
  search: z.string().max(200).optional(),
  sort: z.string().max(80).optional(),
  locale: z.enum(['en', 'zh-CN']).optional(),
  /** What the file is for. */
  reason: z.string().max(300).default(''),
})
const Format = z.object({ format: z.enum(['csv', 'jsonl']) })

const tags = ['collections']

type Opened = { get(name: 'user'): SignedIn['Variables']['user'] }

/** The collection, for whom it is open. */
function opener({ collections }: Pick<ImportContext, 'collections'>) {
  return async (c: Opened, { plugin, collection }: z.infer<typeof Named>, what: 'read' | 'write') => {
    const definition = await collections.definition(`${plugin}/${collection}`)
    checkRole(definition, c.get('user').role, what)
    return definition
  }
}

/** Records as files, mounted at `/api/collections`. */
export function recordExportRoutes(deps: ImportContext) {
  const { database, clock, brand } = deps
  const open = opener(deps)
  return new Hono<SignedIn>().get(
    '/:plugin/:collection/export',
    describeRoute({ tags, summary: 'Records as a file' }),
    validate('param', Named),
    validate('query', Export),
    async (c) => {
      const definition = await open(c, c.req.valid('param'), 'read')
      const { format, locale: wanted, reason, ...rest } = c.req.valid('query')
      const locale = wanted ?? (await brand()).locale
      await logExport(database.db, clock, {
        userId: c.get('user').id,
        what: 'records',
        subject: definition.id,
        title: definition.declaration.title[locale],
        format,
        rows: await deps.collections.count(definition.id, toSearch(rest)),
        reason,
      })
      if (format === 'json' || format === 'jsonl') {
        const name = attachment(definition.declaration.title[locale], 'csv').replaceAll('.csv', `.${format}`)
        return c.body(exportJson(deps, definition, { ...toSearch(rest), lines: format === 'jsonl' }), 200, {
          'Content-Type':
            format === 'json' ? 'application/json; charset=utf-8' : 'application/x-ndjson; charset=utf-8',
          'Content-Disposition': name,
        })
      }
      const table = await exportTable(deps, definition, { ...toSearch(rest), locale })
      return c.body(toSpreadsheet(table, format), 200, {
        'Content-Type': SPREADSHEET_TYPES[format],
        'Content-Disposition': attachment(table.name, format),
      })
    },
  )
}

/** Files of records, mounted at `/api/collections`. */
export function recordImportRoutes(deps: ImportContext) {
  const { database, clock, dataDir } = deps
  const open = opener(deps)
  return new Hono<SignedIn>()
    .post(
      '/:plugin/:collection/import',
      describeRoute({ tags, summary: 'Upload records; the job counts them and says which do not fit' }),
      validate('param', Named),
      validate('query', Format),
      async (c) => {
        const definition = await open(c, c.req.valid('param'), 'write')
        const { body } = c.req.raw
        if (!body) throw userError('E_FILE_EMPTY', 'There is no file in the request')
        const upload = await receiveRecordFile(dataDir, body)
        const { id: jobId } = await startRecordImport(deps, definition, {
          collection: definition.id,
          upload,
          format: c.req.valid('query').format,
          dryRun: true,
          by: `person:${c.get('user').id}`,
          locale: c.get('user').locale,
        })
        return c.json({ upload, jobId }, 202)
      },
    )
    .post(
      '/:plugin/:collection/import/:upload/start',
      describeRoute({ tags, summary: 'Write the records of an upload that fit' }),
      validate('param', Named.extend({ upload: z.uuid() })),
      validate('query', Format),
      async (c) => {
        const { upload, ...named } = c.req.valid('param')
        const definition = await open(c, named, 'write')
        const { id: jobId } = await startRecordImport(deps, definition, {
          collection: definition.id,
          upload,
          format: c.req.valid('query').format,
          dryRun: false,
          by: `person:${c.get('user').id}`,
          locale: c.get('user').locale,
        })
        await audit(database.db, clock, {
          userId: c.get('user').id,
          action: 'record.import',
          subject: definition.id,
          details: { job: jobId },
        })
        return c.json({ upload, jobId }, 202)
      },
    )
}
