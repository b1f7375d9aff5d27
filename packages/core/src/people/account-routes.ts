import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { audit } from './audit.ts'
import type { Auth } from './auth.ts'

const Change = z.object({
  name: z.string().trim().min(1).max(80).optional(),
  locale: z.enum(['zh-CN', 'en']).optional(),
})
const Passwords = z.object({ current: z.string().max(200), next: z.string().max(200) })
const tags = ['account']

/** One's own account, mounted at `/api/account`. */
export function accountRoutes({
  database: { db },
  clock,
  auth: { accounts },
  endPages,
}: Pick<CoreContext, 'database' | 'clock'> & {
  auth: Pick<Auth, 'accounts'>
  /** Ends what pages of somebody have open; those that may still come back. */
  endPages(user: string): void
}) {
  const note = (userId: string, action: string, details: object = {}) =>
    audit(db, clock, { userId, action, subject: userId, details })
  return new Hono<SignedIn>()
    .get('/', describeRoute({ tags, summary: 'One’s own account' }), async (c) => {
      const { id, owes } = c.get('user')
      return c.json({ ...(await accounts.get(id)), owes: owes ?? null })
    })
    .put(
      '/',
      describeRoute({ tags, summary: 'Change one’s name and language' }),
      validate('json', Change),
      async (c) => c.json(await accounts.change(c.get('user').id, c.req.valid('json'))),
    )
    .post(
      '/password',
      describeRoute({ tags, summary: 'Change one’s password; every other session ends' }),
      validate('json', Passwords),
      async (c) => {
        const user = c.get('user')
        const answer = await accounts.changePassword(user, c.req.valid('json'), c.req.raw.headers)
        for (const cookie of answer.headers.getSetCookie()) c.header('Set-Cookie', cookie, { append: true })
        endPages(user.id)
        await note(user.id, 'password.change')
        return c.body(null, 204)
      },
    )
    .get('/sessions', describeRoute({ tags, summary: 'Where one is signed in' }), async (c) =>
      c.json({ sessions: await accounts.sessions(c.get('user').id, c.req.raw.headers) }),
    )
    .delete('/sessions/:id', describeRoute({ tags, summary: 'End one session' }), async (c) => {
      const { id } = c.get('user')
      await accounts.endSession(id, c.req.param('id'))
      endPages(id)
      await note(id, 'session.end', { sessions: 1 })
      return c.body(null, 204)
    })
    .delete('/sessions', describeRoute({ tags, summary: 'End every session but this' }), async (c) => {
      const { id } = c.get('user')
      const ended = await accounts.endOtherSessions(id, c.req.raw.headers)
      endPages(id)
      if (ended > 0) await note(id, 'session.end', { sessions: ended })
      return c.json({ ended })
    })
}
