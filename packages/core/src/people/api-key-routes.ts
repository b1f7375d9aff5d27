import { userError } from '@huitou/plugin-api'
import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { audit } from './audit.ts'
import type { Auth } from './auth.ts'
import { KEY_SCOPES, may, type Permission } from './permissions.ts'

const Scope = z.string().refine((scope): scope is Permission => KEY_SCOPES.some((known) => known === scope), {
  message: 'is no scope of keys',
})
const NewKey = z.object({
  name: z.string().trim().min(1).max(80),
  scopes: z.array(Scope).min(1).max(KEY_SCOPES.length),
  /** Days until it ends by itself; null for never. */
  days: z.int().min(1).max(3_650).nullable(),
})
const tags = ['settings']
const DAY_MS = 86_400_000

/** Keys with which programs call the API, mounted at `/api/settings/api-keys`. */
export function apiKeyRoutes({
  database: { db },
  clock,
  auth: { keys },
  endPages,
}: Pick<CoreContext, 'database' | 'clock'> & {
  auth: Pick<Auth, 'keys'>
  /** Ends what somebody has open. */
  endPages(user: string): void
}) {
  return new Hono<SignedIn>()
    .get(
      '/',
      describeRoute({ tags, summary: 'Keys of programs, and which scopes one may give' }),
      async (c) =>
        c.json({
          apiKeys: await keys.list(),
          scopes: KEY_SCOPES.filter((scope) => may(c.get('user'), scope)),
        }),
    )
    .post(
      '/',
      describeRoute({ tags, summary: 'Make a key; it is shown this once' }),
      validate('json', NewKey),
      async (c) => {
        const user = c.get('user')
        const { name, scopes, days } = c.req.valid('json')
        const beyond = scopes.filter((scope) => !may(user, scope))
        if (beyond.length > 0)
          throw userError('E_KEY_SCOPE', `You may not give what you have not: ${beyond.join(', ')}`, {
            status: 403,
            details: { scopes: beyond },
            hint: 'Leave these out, or ask an owner to make the key.',
          })
        const expiresAt = days === null ? null : clock.now() + days * DAY_MS
        const key = await keys.create({ name, scopes: [...new Set(scopes)], expiresAt, by: user.id })
        await audit(db, clock, {
          userId: user.id,
          action: 'api-key.create',
          subject: key.id,
          details: { scopes },
        })
        return c.json(key, 201)
      },
    )
    .delete('/:id', describeRoute({ tags, summary: 'Revoke a key' }), async (c) => {
      const id = c.req.param('id')
      await keys.revoke(id)
      endPages(`key:${id}`)
      await audit(db, clock, { userId: c.get('user').id, action: 'api-key.revoke', subject: id })
      return c.body(null, 204)
    })
}
