import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import { createWriteKey, deleteWriteKey, listWriteKeys } from '../events/write-keys.ts'
import { requireRole, type SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { audit } from '../people/audit.ts'
import { type Brand, readBrand, writeBrand } from './brand.ts'

const BrandChange = z
  .object({
    brandName: z.string().trim().max(80),
    currency: z.string().length(3),
    timeZone: z.string().max(64),
    locale: z.enum(['zh-CN', 'en']),
  })
  .partial()

export interface SettingsDeps extends Pick<CoreContext, 'database' | 'clock'> {
  /** Called after the brand changed: plugins and stages follow. */
  onBrand(brand: Brand): void
}

/** Mounted at `/api/settings`. */
export function settingsRoutes({ database, clock, onBrand }: SettingsDeps) {
  const { db } = database
  return new Hono<SignedIn>()
    .get('/', describeRoute({ tags: ['settings'], summary: 'The brand' }), async (c) => c.json(await readBrand(db)))
    .put('/', describeRoute({ tags: ['settings'], summary: 'Change the brand' }), requireRole(), validate('json', BrandChange), async (c) => {
      const change = c.req.valid('json')
      const brand = await writeBrand(db, change)
      await audit(db, clock, { userId: c.get('user').id, action: 'settings.brand', subject: 'brand', details: { changed: Object.keys(change) } })
      onBrand(brand)
      return c.json(brand)
    })
    .get('/write-keys', describeRoute({ tags: ['settings'], summary: 'Keys that send events' }), requireRole('developer'), async (c) =>
      c.json({ writeKeys: await listWriteKeys(db) }),
    )
    .post(
      '/write-keys',
      describeRoute({ tags: ['settings'], summary: 'Make a key; it is shown this once' }),
      requireRole('developer'),
      validate('json', z.object({ name: z.string().trim().min(1).max(80) })),
      async (c) => {
        const key = await createWriteKey(db, clock, c.req.valid('json').name)
        await audit(db, clock, { userId: c.get('user').id, action: 'write-key.create', subject: key.id })
        return c.json(key, 201)
      },
    )
    .delete('/write-keys/:id', describeRoute({ tags: ['settings'], summary: 'Revoke a key' }), requireRole('developer'), async (c) => {
      await deleteWriteKey(db, c.req.param('id'))
      await audit(db, clock, { userId: c.get('user').id, action: 'write-key.revoke', subject: c.req.param('id') })
      return c.body(null, 204)
    })
}
