import { userError } from '@huitou/plugin-api'
import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import { validate } from '../http/validate.ts'
import { findSetting } from '../settings/brand.ts'
import { type Auth, PASSWORD_MIN } from './auth.ts'

const NewOwner = z.object({
  name: z.string().trim().min(1).max(80),
  email: z.email().max(200),
  password: z.string().min(PASSWORD_MIN).max(200),
  locale: z.enum(['zh-CN', 'en']).default('zh-CN'),
})

export interface SetupDeps extends Pick<CoreContext, 'database' | 'clock'> {
  auth: Auth
  version: string
}

/** First steps on an empty installation. Open to everyone until there is an owner. */
export function setupRoutes({ database, clock, auth, version }: SetupDeps) {
  return new Hono()
    .get(
      '/',
      describeRoute({ tags: ['setup'], summary: 'What the installation still needs', security: [] }),
      async (c) => {
        const anyone = await database.db
          .selectFrom('profiles')
          .select('customer_id')
          .limit(1)
          .executeTakeFirst()
        const demo = (await findSetting(database.db, 'demo')) === true
        return c.json({
          needsOwner: !(await auth.hasUsers()),
          hasData: anyone !== undefined,
          demo,
          /** How far the demo shop's clock is ahead of the machine's, in milliseconds. */
          aheadMs: demo ? Math.max(0, clock.now() - Date.now()) : 0,
          version,
          singleSignOn: auth.singleSignOn ?? null,
        })
      },
    )
    .post(
      '/owner',
      describeRoute({ tags: ['setup'], summary: 'Make the owner account and sign in', security: [] }),
      validate('json', NewOwner),
      async (c) => {
        if (await auth.hasUsers()) {
          throw userError('E_SETUP_DONE', 'This installation has an owner already', {
            status: 409,
            hint: 'Sign in instead.',
          })
        }
        const owner = c.req.valid('json')
        const user = await auth.createUser({ ...owner, role: 'owner' })
        const answer = await auth.signIn(owner, c.req.raw.headers)
        for (const cookie of answer.headers.getSetCookie()) c.header('Set-Cookie', cookie, { append: true })
        return c.json(user, 201)
      },
    )
}
