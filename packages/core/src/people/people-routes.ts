import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import type { SignedIn } from '../http/env.ts'
import type { Auth } from './auth.ts'

/** Mounted at `/api/people`: whom work can be given to. */
export function peopleRoutes({ auth }: { auth: Pick<Auth, 'listUsers'> }) {
  return new Hono<SignedIn>().get(
    '/',
    describeRoute({ tags: ['people'], summary: 'Everybody who works with this Huitou' }),
    async (c) => {
      const users = await auth.listUsers()
      return c.json({ people: users.map(({ id, name, role }) => ({ id, name, role })) })
    },
  )
}
