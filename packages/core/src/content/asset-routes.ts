import { userError } from '@huitou/plugin-api'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import { answerJson } from '../http/answer.ts'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { audit } from '../people/audit.ts'
import { ASSET_LIMIT, deleteAsset, getAsset, listAssets, saveAsset } from './assets.ts'

const tags = ['content']
const AssetId = z.object({ id: z.string().min(1).max(60) })
type RouteDeps = Pick<CoreContext, 'database' | 'clock'>

/** Mounted at `/api/assets`: pictures and PDFs for messages. */
export function assetRoutes(deps: RouteDeps) {
  const { database, clock } = deps
  return new Hono<SignedIn>()
    .get('/', describeRoute({ tags, summary: 'Files for messages, newest first' }), async (c) =>
      answerJson(c, { assets: await listAssets(database.db) }),
    )
    .post(
      '/',
      describeRoute({ tags, summary: 'Store a picture or a PDF; the body is the file' }),
      bodyLimit({
        maxSize: ASSET_LIMIT,
        onError: () => {
          throw userError('E_ASSET_SIZE', `The file is larger than ${ASSET_LIMIT / 1_048_576} MB`, {
            status: 413,
            hint: 'Make the picture smaller; mail programs would cut it down anyway.',
          })
        },
      }),
      validate('query', z.object({ name: z.string().min(1).max(200) })),
      async (c) => {
        const bytes = new Uint8Array(await c.req.arrayBuffer())
        const by = c.get('user').id
        const asset = await saveAsset(deps, { name: c.req.valid('query').name, bytes, by })
        await audit(database.db, clock, { userId: by, action: 'asset.create', subject: asset.id })
        return answerJson(c, asset, 201)
      },
    )
    .delete(
      '/:id',
      describeRoute({
        tags,
        summary: 'Delete a file; messages that show it have an empty place from then on',
      }),
      validate('param', AssetId),
      async (c) => {
        const { id } = c.req.valid('param')
        await deleteAsset(database.db, id)
        await audit(database.db, clock, { userId: c.get('user').id, action: 'asset.delete', subject: id })
        return c.body(null, 204)
      },
    )
}

/** Mounted at `/media`: the files themselves, for whoever has their address. */
export function mediaRoutes({ database }: RouteDeps) {
  return new Hono().get('/:id', async (c) => {
    const { name, type, bytes } = await getAsset(database.db, c.req.param('id'))
    const disposition = type.startsWith('image/') ? 'inline' : 'attachment'
    return c.body(new Uint8Array(bytes), 200, {
      'Content-Type': type,
      'Content-Length': String(bytes.length),
      'Content-Disposition': `${disposition}; filename*=UTF-8''${encodeURIComponent(name)}`,
      'Cache-Control': 'public, max-age=31536000, immutable',
      'Content-Security-Policy': "default-src 'none'; sandbox",
      'Cross-Origin-Resource-Policy': 'cross-origin',
      'X-Content-Type-Options': 'nosniff',
    })
  })
}
