import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { audit } from '../people/audit.ts'
import { type Brand, writeBrand } from './brand.ts'

const BrandChange = z
  .object({
    brandName: z.string().trim().max(80),
    currency: z.string().length(3),
    timeZone: z.string().max(64),
    locale: z.enum(['zh-CN', 'en']),
    publicUrl: z.string().trim().max(300),
    links: z.record(
      z.string().regex(/^[a-z][a-z0-9_]{0,39}$/, 'small letters, digits and _'),
      z.url({ protocol: /^https?$/ }).max(2_000),
    ),
  })
  .partial()

export interface SettingsDeps extends Pick<CoreContext, 'database' | 'clock' | 'brand'> {
  /** Called after the brand changed: plugins and stages follow. */
  onBrand(brand: Brand): void
}

/** Mounted at `/api/settings`. */
export function settingsRoutes({ database, clock, brand: readBrand, onBrand }: SettingsDeps) {
  const { db } = database
  return new Hono<SignedIn>()
    .get('/', describeRoute({ tags: ['settings'], summary: 'The brand' }), async (c) =>
      c.json(await readBrand()),
    )
    .put(
      '/',
      describeRoute({ tags: ['settings'], summary: 'Change the brand' }),
      validate('json', BrandChange),
      async (c) => {
        const change = c.req.valid('json')
        const brand = await writeBrand(db, change)
        await audit(db, clock, {
          userId: c.get('user').id,
          action: 'settings.brand',
          subject: 'brand',
          details: { changed: Object.keys(change) },
        })
        onBrand(brand)
        return c.json(brand)
      },
    )
}
