import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { userError } from '@huitou/plugin-api'
import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import type { ImportContext } from './import-context.ts'
import { importFiles } from './import-folder.ts'
import { toImportView } from './import-view.ts'
import {
  cancelImport,
  checkImport,
  pauseImport,
  receiveUpload,
  resumeImport,
  setMapping,
  startImport,
} from './imports.ts'
import { getImportRecord, type ImportRecord, listImportRecords } from './records.ts'

const Upload = z.object({ source: z.string().min(1).max(200), name: z.string().min(1).max(500) })
const NewMapping = z.object({ mapping: z.record(z.string(), z.unknown()) })
const Page = z.object({ limit: z.coerce.number().int().min(1).max(500).default(100) })

const about = (summary: string) => describeRoute({ tags: ['imports'], summary })

/** Mounted at `/api/imports`. The body of an upload is the file itself, streamed to disk as it arrives. */
export function importRoutes(context: ImportContext) {
  const { db } = context.database
  const view = (record: ImportRecord) => toImportView(record, context.points)
  return new Hono<SignedIn>()
    .post(
      '/',
      describeRoute({
        tags: ['imports'],
        summary: 'Upload a file: CSV, TSV or XLSX, also packed with gzip',
        requestBody: {
          content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
        },
      }),
      validate('query', Upload),
      async (c) => {
        const { body } = c.req.raw
        if (!body)
          throw userError('E_FILE_EMPTY', 'The request has no body', {
            hint: 'Send the file itself as the body.',
          })
        const length = Number(c.req.header('Content-Length'))
        const size = Number.isFinite(length) && length > 0 ? length : undefined
        return c.json(view(await receiveUpload(context, body, { ...c.req.valid('query'), size })), 201)
      },
    )
    .get('/', about('Newest imports first'), validate('query', Page), async (c) =>
      c.json({ imports: (await listImportRecords(db, c.req.valid('query').limit)).map(view) }),
    )
    .get('/:id', about('One import'), async (c) => c.json(view(await getImportRecord(db, c.req.param('id')))))
    .put('/:id/mapping', about('Say what the columns mean'), validate('json', NewMapping), async (c) =>
      c.json(view(await setMapping(context, c.req.param('id'), c.req.valid('json').mapping))),
    )
    .post('/:id/check', about('Dry run: what would an import do?'), async (c) =>
      c.json(view(await checkImport(context, c.req.param('id'))), 202),
    )
    .post('/:id/start', about('Import'), async (c) =>
      c.json(view(await startImport(context, c.req.param('id'))), 202),
    )
    .post('/:id/pause', about('Pause'), async (c) =>
      c.json(view(await pauseImport(context, c.req.param('id')))),
    )
    .post('/:id/resume', about('Go on'), async (c) =>
      c.json(view(await resumeImport(context, c.req.param('id')))),
    )
    .post('/:id/cancel', about('Stop for good'), async (c) =>
      c.json(view(await cancelImport(context, c.req.param('id')))),
    )
    .get('/:id/problems.csv', about('Rows with problems and their reasons'), async (c) => {
      const { id, name } = await getImportRecord(db, c.req.param('id'))
      const { problems } = importFiles(context.dataDir, id)
      const found = await stat(problems).catch(() => undefined)
      if (!found)
        throw userError('E_IMPORT_UNCHECKED', `"${name}" has not been checked yet`, {
          hint: 'Check it first.',
          status: 404,
        })
      return c.body(Readable.toWeb(createReadStream(problems)) as ReadableStream<Uint8Array>, 200, {
        'Content-Type': 'text/csv; charset=utf-8',
        'Content-Length': String(found.size),
        'Content-Disposition': `attachment; filename="problems.csv"; filename*=UTF-8''${encodeURIComponent(`${name}.problems.csv`)}`,
      })
    })
}
