import { userError } from '@huitou/plugin-api'
import { createMiddleware } from 'hono/factory'
import type { User } from '../people/auth.ts'

/** What middleware leaves for handlers. */
export interface SignedIn {
  Variables: { user: User }
}

export type Role = 'owner' | 'operator' | 'agent' | 'analyst' | 'developer'

/** Lets only these roles through; the owner may do everything. */
export function requireRole(...roles: Role[]) {
  return createMiddleware<SignedIn>(async (c, next) => {
    const { role } = c.get('user')
    if (role !== 'owner' && !roles.includes(role)) {
      throw userError('E_FORBIDDEN', `Your role "${role}" may not do this`, {
        status: 403,
        hint: `It needs the role ${['owner', ...roles].join(' or ')}; ask an owner of this Huitou.`,
      })
    }
    await next()
  })
}
