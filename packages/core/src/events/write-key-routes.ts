import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { audit } from '../people/audit.ts'
import { createWriteKey, deleteWriteKey, listWriteKeys } from './write-keys.ts'

/** Keys with which shops and sites send events, mounted at `/api/settings/write-keys`. */
export function writeKeyRoutes({ database, clock }: Pick<CoreContext, 'database' | 'clock'>) {
  const { db } = database
  return new Hono<SignedIn>()
    .get('/', describeRoute({ tags: ['settings'], summary: 'Keys that send events' }), async (c) =>
      c.json({ writeKeys: await listWriteKeys(db) }),
    )
    .post(
      '/',
      describeRoute({ tags: ['settings'], summary: 'Make a key; it is shown this once' }),
      validate('json', z.object({ name: z.string().trim().min(1).max(80) })),
      async (c) => {
        const key = await createWriteKey(db, clock, c.req.valid('json').name)
        await audit(db, clock, { userId: c.get('user').id, action: 'write-key.create', subject: key.id })
        return c.json(key, 201)
      },
    )
    .delete('/:id', describeRoute({ tags: ['settings'], summary: 'Revoke a key' }), async (c) => {
      await deleteWriteKey(db, c.req.param('id'))
      await audit(db, clock, {
        userId: c.get('user').id,
        action: 'write-key.revoke',
        subject: c.req.param('id'),
      })
      return c.body(null, 204)
    })
}
